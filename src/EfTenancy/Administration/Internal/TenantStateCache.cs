using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Data;
using System.Data.Common;
using System.Transactions;
using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Which tenants contexts must refuse, as the registry of each database said at most
///     <see cref="TenancyDefaults.TenantStateSeconds" /> ago. Opening a context costs a look into a set; a busy application reads the
///     registry in the background, an idle one at the first context after the pause.
/// </summary>
public sealed class TenantStateCache(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(TenancyDefaults.TenantStateSeconds);

    private readonly ConcurrentDictionary<(string ConnectionString, string RegistrySchema), Database> _databases = [];

    public void Refuse(DbContext context, string registrySchema, string tenantId)
    {
        var database = Of(context, registrySchema);
        var states = database.States;
        if (states is null || states.Age >= Bound)
        {
            states = database.Refresh(context);
        }
        else if (states.Age >= Bound / 2)
        {
            database.RefreshInBackground(context);
        }

        if (states.Refused.TryGetValue(tenantId, out var isBeingRemoved))
        {
            throw new TenantDisabledException(TenancyStrings.TenantDisabled(tenantId, isBeingRemoved), tenantId);
        }
    }

    public void Forget(DbContext context, string registrySchema)
        => Of(context, registrySchema).Forget();

    private Database Of(DbContext context, string registrySchema)
        => _databases.GetOrAdd(
            (context.Database.GetConnectionString() ?? "", registrySchema),
            (key, source) => new Database(
                new TenantRegistrySql(source.Sql, source.Types, key.RegistrySchema).SelectRefused()),
            (Sql: sqlGenerationHelper, Types: typeMappingSource));

    /// <summary>What one registry said, and when it was asked.</summary>
    private sealed record TenantStates(FrozenDictionary<string, bool> Refused, long AskedAt)
    {
        public TimeSpan Age
            => TimeProvider.System.GetElapsedTime(AskedAt);
    }

    private sealed class Database(string sql)
    {
        private readonly Lock _lock = new();
        private TenantStates? _states;
        private long _forgotten;
        private int _isRefreshing;

        public TenantStates? States
            => Volatile.Read(ref _states);

        public void Forget()
        {
            Interlocked.Increment(ref _forgotten);
            Volatile.Write(ref _states, null);
        }

        public TenantStates Refresh(DbContext context)
        {
            lock (_lock)
            {
                return States is { } states && states.Age < Bound ? states : Read(TenantConnection.Clone(context));
            }
        }

        public void RefreshInBackground(DbContext context)
        {
            if (Interlocked.Exchange(ref _isRefreshing, 1) == 0)
            {
                // The context may be gone when the task runs.
                var connection = TenantConnection.Clone(context);
                _ = Task.Run(
                    () =>
                    {
                        try
                        {
                            Read(connection);
                        }
                        catch (DbException)
                        {
                            // The context that comes after the bound asks again, and gets the error.
                        }
                        finally
                        {
                            Volatile.Write(ref _isRefreshing, 0);
                        }
                    });
            }
        }

        private TenantStates Read(NpgsqlConnection connection)
        {
            var askedAt = TimeProvider.System.GetTimestamp();
            var forgotten = Interlocked.Read(ref _forgotten);
            var refused = new Dictionary<string, bool>();

            using (new TransactionScope(TransactionScopeOption.Suppress))
            using (connection)
            {
                try
                {
                    connection.Open();
                    using var command = new NpgsqlCommand(sql, connection);
                    using var reader = command.ExecuteReader(CommandBehavior.SingleResult);
                    while (reader.Read())
                    {
                        refused[reader.GetString(0)] = reader.GetBoolean(1);
                    }
                }
                catch (PostgresException exception)
                    when (exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidCatalogName)
                {
                    // Before the first migration nobody is disabled, and the migration itself needs a context.
                }
            }

            var states = new TenantStates(refused.ToFrozenDictionary(), askedAt);
            if (Interlocked.Read(ref _forgotten) == forgotten)
            {
                Volatile.Write(ref _states, states);
            }

            return states;
        }
    }
}
