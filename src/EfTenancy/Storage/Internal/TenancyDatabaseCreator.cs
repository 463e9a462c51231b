using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfTenancy.Storage.Internal;

/// <summary>Creates and deletes what a tenant has of its own: its schema, where others have theirs in the same database.</summary>
#pragma warning disable EF1001 // The provider's creator knows databases only.
public class TenancyDatabaseCreator(
    RelationalDatabaseCreatorDependencies dependencies,
    INpgsqlRelationalConnection connection,
    IRawSqlCommandBuilder rawSqlCommandBuilder)
    : NpgsqlDatabaseCreator(dependencies, connection, rawSqlCommandBuilder)
{
    // The application may have put a connection of its own in its place, where tenants have no places.
    private readonly TenancyRelationalConnection? _connection = connection as TenancyRelationalConnection;

    public override bool Exists()
    {
        try
        {
            return base.Exists();
        }
        catch (TenantDatabaseException exception) when (exception.Error == TenantDatabaseError.SchemaMissing)
        {
            return false;
        }
    }

    public override async Task<bool> ExistsAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await base.ExistsAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (TenantDatabaseException exception) when (exception.Error == TenantDatabaseError.SchemaMissing)
        {
            return false;
        }
    }

    public override void Create()
        => Task.Run(() => CreateAsync()).GetAwaiter().GetResult();

    public override async Task CreateAsync(CancellationToken cancellationToken = default)
    {
        if (_connection?.SchemaOfTenant is { } schema)
        {
            await _connection.ExecuteOnDatabaseAsync(DestinationRegistrySql.CreateSchema(schema), cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await base.CreateAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override void Delete()
        => Task.Run(() => DeleteAsync()).GetAwaiter().GetResult();

    public override async Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        if (_connection?.SchemaOfTenant is { } schema)
        {
            await _connection.ExecuteOnDatabaseAsync(DestinationRegistrySql.DropSchema(schema), cancellationToken).ConfigureAwait(false);
        }
        else
        {
            _connection?.RefuseDeletionOfOthers();
            await base.DeleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override bool HasTables()
        => _connection is { KnowsItsTables: true }
            ? Task.Run(() => _connection.HasTablesAsync(CancellationToken.None)).GetAwaiter().GetResult()
            : base.HasTables();

    public override Task<bool> HasTablesAsync(CancellationToken cancellationToken = default)
        => _connection is { KnowsItsTables: true } ? _connection.HasTablesAsync(cancellationToken) : base.HasTablesAsync(cancellationToken);
}
#pragma warning restore EF1001
