using EfTenancy.Migrations.Internal;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>Which migrations databases and schemas have, and which the application has.</summary>
public sealed class TenantMigrationHistory
{
    private readonly DbContext _context;
    private readonly TenantHistorySql _sql;

    public TenantMigrationHistory(DbContext context)
    {
        _context = context;
        _sql = TenantHistorySql.Create(context.GetService<ISqlGenerationHelper>(), context.GetService<IDbContextOptions>());
        Known = [.. context.Database.GetMigrations()];
    }

    /// <summary>The application's migrations, in their order.</summary>
    public IReadOnlyList<string> Known { get; }

    /// <summary>The application's last migration; null for none.</summary>
    public string? Last
        => Known is [.., var last] ? last : null;

    /// <summary>The migrations of schemas of one database, in one or a few queries; a schema without any is left out. Gives the rental back.</summary>
    public async Task<Dictionary<string, IReadOnlyList<string>>> OfSchemasAsync(
        TenantDataSources.Rental rental,
        IEnumerable<string> schemas,
        CancellationToken cancellationToken)
    {
        var rented = await RentedConnection.OpenAsync(rental, cancellationToken).ConfigureAwait(false);
        await using var _ = rented.ConfigureAwait(false);
        var connection = rented.Connection;

        var existing = new List<string>();
        await ReadAsync(
            connection, TenantHistorySql.SelectSchemas, r => existing.Add(r.GetString(0)), cancellationToken,
            DestinationRegistry.Texts("schemas", schemas), DestinationRegistry.Text("table", _sql.Table)).ConfigureAwait(false);

        var histories = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var some in existing.Chunk(TenantHistorySql.SchemasInOneQuery))
        {
            await ReadAsync(
                connection, _sql.SelectMigrationsOf(some),
                r => ((List<string>)(histories.TryGetValue(r.GetString(0), out var list)
                    ? list
                    : histories[r.GetString(0)] = new List<string>())).Add(r.GetString(1)),
                cancellationToken).ConfigureAwait(false);
        }

        return histories;
    }

    /// <summary>The migrations of the place that the context works in; none where there is no database, schema or history yet.</summary>
    public async Task<IReadOnlyList<string>> OfContextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return [.. await _context.Database.GetAppliedMigrationsAsync(cancellationToken).ConfigureAwait(false)];
        }
        catch (TenantDatabaseException exception)
            when (exception.Error is TenantDatabaseError.DatabaseMissing or TenantDatabaseError.SchemaMissing)
        {
            return [];
        }
    }

    public string? FirstUnknown(IReadOnlyList<string> applied)
        => applied.Except(Known).FirstOrDefault();

    public string? FirstMissing(IReadOnlyList<string> applied)
        => Known.Except(applied).FirstOrDefault();

    /// <summary>The migrations of the place that a connection is open to.</summary>
    public IReadOnlyList<string> OfConnection(NpgsqlConnection connection)
    {
        var applied = new List<string>();
        try
        {
            using var command = new NpgsqlCommand(_sql.SelectMigrations, connection);
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                applied.Add(reader.GetString(0));
            }
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // It was never migrated.
        }

        return applied;
    }

    /// <inheritdoc cref="OfConnection" />
    public async Task<IReadOnlyList<string>> OfConnectionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new List<string>();
        try
        {
            await ReadAsync(connection, _sql.SelectMigrations, r => applied.Add(r.GetString(0)), cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // It was never migrated.
        }

        return applied;
    }

    private static async Task ReadAsync(
        NpgsqlConnection connection,
        string sql,
        Action<NpgsqlDataReader> read,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using var _ = command.ConfigureAwait(false);
        command.Parameters.AddRange(parameters);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            read(reader);
        }
    }
}
