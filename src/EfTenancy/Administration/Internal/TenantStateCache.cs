using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Data;
using System.Transactions;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
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

    private readonly ConcurrentDictionary<(string ConnectionString, string RegistrySchema), Snapshot<DbContext, FrozenDictionary<string, bool>>>
        _refused = [];

    public void Refuse(DbContext context, string registrySchema, string tenantId, string registeredAs)
    {
        if (Refused(context, registrySchema, tenantId).TryGetValue(registeredAs, out var isBeingRemoved))
        {
            throw new TenantDisabledException(TenancyStrings.TenantDisabled(tenantId, isBeingRemoved), tenantId);
        }
    }

    private FrozenDictionary<string, bool> Refused(DbContext context, string registrySchema, string tenantId)
    {
        try
        {
            return Of(context, registrySchema).Get(context);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new TenantDatabaseException(
                TenancyStrings.TenantRegistryForbidden(
                    new TenantRegistrySql(sqlGenerationHelper, typeMappingSource, registrySchema).Table, tenantId, exception.MessageText),
                TenantDatabaseError.AccessDenied, tenantId,
                context.GetService<CurrentTenant>().Place?.FindOrNull()?.Destination ?? TenantDestination.Home, exception);
        }
    }

    public void Forget(DbContext context, string registrySchema)
        => Of(context, registrySchema).Forget();

    private Snapshot<DbContext, FrozenDictionary<string, bool>> Of(DbContext context, string registrySchema)
        => _refused.GetOrAdd(
            (context.Database.GetConnectionString() ?? "", registrySchema),
            static (key, source) => Ask(new TenantRegistrySql(source.Sql, source.Types, key.RegistrySchema).SelectRefused()),
            (Sql: sqlGenerationHelper, Types: typeMappingSource));

    private static Snapshot<DbContext, FrozenDictionary<string, bool>> Ask(string sql)
        => new(
            context =>
            {
                var connection = TenantConnection.Clone(context);
                return () => Read(connection, sql);
            },
            Bound / 2,
            Bound);

    private static FrozenDictionary<string, bool> Read(NpgsqlConnection connection, string sql)
    {
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

        return refused.ToFrozenDictionary();
    }
}
