using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>All that administration needs of a context: its model, its database, and the rules of tenant ids.</summary>
public sealed class TenantDatabase(DbContext context, TenantAdministrationOptions options)
{
    private readonly CurrentTenant _tenant = context.GetService<CurrentTenant>();
    private readonly TenantStateCache _states = context.GetService<TenantStateCache>();

    public TenantTablesOfModel TablesOfModel { get; } = TenantTablesOfModel.Of(context.Model);

    public ISqlGenerationHelper Sql { get; } = context.GetService<ISqlGenerationHelper>();

    public TenantPartitionSql PartitionSql { get; }
        = new(context.GetService<ISqlGenerationHelper>(), context.GetService<IRelationalTypeMappingSource>());

    public TenantSplitSql SplitSql { get; }
        = new(context.GetService<ISqlGenerationHelper>(), context.GetService<IRelationalTypeMappingSource>());

    public string ContextName
        => context.GetType().Name;

    /// <summary>Where it is; the home database where there is no other.</summary>
    public TenantDestination Destination
        => _tenant.Place?.FindOrNull()?.Destination ?? TenantDestination.Home;

    public TenantMigrationHistory History()
        => new(context);

    /// <summary>Whether the model itself has, in this table, a column of the name that holds tenants elsewhere.</summary>
    public bool MapsTenantColumn(string table, string? schema)
        => context.Model.GetRelationalModel().FindTable(table, schema) is { } mapped
            && TablesOfModel.Tables.Any(t => t.TenantColumn is { } column && mapped.FindColumn(column) is not null);

    public TenantRegistry? FindRegistry()
        => TablesOfModel.RegistrySchema is { } schema
            ? new TenantRegistry(new TenantRegistrySql(Sql, context.GetService<IRelationalTypeMappingSource>(), schema), Destination)
            : null;

    public TenantRegistry Registry()
        => FindRegistry() ?? throw new InvalidOperationException(TenancyStrings.NoTenantRegistry(ContextName));

    public Task<TenantConnection> OpenAsync(CancellationToken cancellationToken)
        => TenantConnection.OpenAsync(TenantConnection.Clone(context), options, cancellationToken);

    /// <summary>A tenant id as it comes in, as registry and partitions have it.</summary>
    public string Normalize(string? tenantId, string parameterName)
        => _tenant.IdConverter.TextOf(_tenant.Normalize(tenantId, parameterName));

    /// <summary>The tenant id of a text that registry and partitions have.</summary>
    public string IdOf(string text)
        => text == _tenant.IdConverter.DefaultText ? TenancyDefaults.DefaultTenantId : text;

    public string Name(TenantTable table)
        => Sql.DelimitIdentifier(table.Name, table.Schema);

    public string Name(TenantTablePartition partition)
        => Sql.DelimitIdentifier(partition.Name, partition.Schema);

    /// <summary>Contexts of this process learn of a change at once.</summary>
    public void StatesChanged()
    {
        if (TablesOfModel.RegistrySchema is { } schema)
        {
            _states.Forget(context, schema);
        }
    }

    public void WarnOfManyPartitions(TenantTable table, int partitions)
        => context.GetService<IDiagnosticsLogger<DbLoggerCategory.Infrastructure>>().ManyTenantPartitions(context, table.DisplayName, partitions);
}
