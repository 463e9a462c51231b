using EfTenancy.Metadata;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Query.Internal;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>Every rule about a finished model.</summary>
#pragma warning disable EF1001 // EF holds one validator; the provider's rules must go on.
public class TenancyModelValidator(
    ModelValidatorDependencies dependencies,
    RelationalModelValidatorDependencies relationalDependencies,
    INpgsqlSingletonOptions npgsqlSingletonOptions)
    : NpgsqlModelValidator(dependencies, relationalDependencies, npgsqlSingletonOptions)
{
    public override void Validate(IModel model, IDiagnosticsLogger<DbLoggerCategory.Model.Validation> logger)
    {
        var ids = TenantIdConverter.Find(model);
        var policy = model.GetAllEntitiesAreMultiTenanted() is { } all ? new MultiTenancyPolicy(all) : null;

        foreach (var entityType in model.GetEntityTypes())
        {
            ValidateTenantProperty(entityType, ids);
            ValidateKeys(entityType);
            ValidateFilter(entityType, policy);
            ValidateReferences(entityType);
            ValidateProcedures(entityType);
            ValidateSharedRows(entityType);

            if (entityType.GetTenantPartitioning() is { } partitioning)
            {
                ValidatePartitioning(entityType, partitioning);
                ValidateIndexesOfPartitionedTable(entityType);
                ValidateStorageParameters(entityType);
                ValidateRowVersions(entityType);
            }
        }

        if (model.GetEntityTypes().Any(e => e.GetTenantPartitioning() is not null))
        {
            ValidateTables(model);
            ValidateRegistry(model);
        }

        base.Validate(model, logger);
    }

    private void ValidateTenantProperty(IEntityType entityType, TenantIdConverter ids)
    {
        if (entityType.BaseType is not null || entityType.FindTenantProperty() is not { } tenant)
        {
            return;
        }

        if (MakesTenantsAlike(tenant, ids.StoredType) is { } mapping)
        {
            throw new InvalidOperationException(
                TenancyStrings.TenantPropertyMakesTenantsAlike(
                    entityType.DisplayName(), tenant.Name, mapping, RelationalDependencies.TypeMappingSource.GetMapping(ids.StoredType).StoreType));
        }

        if (TenantIdConverter.For(tenant).StoredType != ids.StoredType)
        {
            throw new InvalidOperationException(TenancyStrings.TenantPropertyStoredDifferently(
                entityType.DisplayName(),
                entityType.Model.GetEntityTypes().First(e => e.FindTenantProperty() is not null).DisplayName(),
                tenant.Name));
        }
    }

    // Types of the application's own need a converter; it must give ids back as they were, which is looked at id by id.
    private static string? MakesTenantsAlike(IProperty tenant, Type storedType)
        => tenant.GetValueConverter() is { } converter && TenantIdConverter.TryCreate(tenant.ClrType, converter: null) is not null
            ? "the value converter " + converter.GetType().Name
            : tenant.FindRelationalTypeMapping() is { } type && !KeepsIds(type, storedType) ? "the column type " + tenant.GetColumnType()
            : tenant.GetCollation() is { } collation
            && tenant.DeclaringType.Model.GetCollations().Any(c => c.Name == collation && c.IsDeterministic == false)
                ? $"the collation {collation}, which is not deterministic,"
            : null;

    // EF converts to what a column type takes: text to numbers, where 1 and 01 are one, or int to smallint, where 1 and 65537 are. Among
    // those that take text some compare it whatever its case or its trailing spaces, or cut it.
    private static bool KeepsIds(RelationalTypeMapping mapping, Type storedType)
        => (mapping.Converter?.ProviderClrType ?? mapping.ClrType) is var type
            && (type == storedType || (type == typeof(long) && storedType == typeof(int)))
            && (type != typeof(string) || mapping.StoreTypeNameBase.ToUpperInvariant() is "TEXT" or "VARCHAR" or "CHARACTER VARYING");

    // Every UPDATE and DELETE looks for the key, or for the tenant beside it.
    private static void ValidateKeys(IEntityType entityType)
    {
        if (entityType.BaseType is not null || entityType.FindTenantProperty() is not { } tenant)
        {
            return;
        }

        if (!entityType.Model.KeysAreIdsOnly())
        {
            if (entityType.GetKeys().FirstOrDefault(k => !k.Properties.Contains(tenant)) is { } key)
            {
                throw new InvalidOperationException(TenancyStrings.KeyWithoutTenant(entityType.DisplayName(), Names(key.Properties)));
            }
        }
        else
        {
            if (!tenant.IsConcurrencyToken)
            {
                throw new InvalidOperationException(TenancyStrings.IdOnlyTenantIsNoToken(entityType.DisplayName(), tenant.Name));
            }

            if (entityType.GetTenantPartitioning() is not null)
            {
                throw new InvalidOperationException(TenancyStrings.IdOnlyTableIsPartitioned(entityType.DisplayName()));
            }

            if (entityType.GetDerivedTypesInclusive().FirstOrDefault(HasTableWithoutTenant) is { } scattered)
            {
                throw new InvalidOperationException(TenancyStrings.IdOnlyTableWithoutTenant(scattered.DisplayName()));
            }
        }
    }

    // Where the tenant is in the key, EF wants it of each procedure itself. Deleting, a procedure is given the original values only.
    private static void ValidateProcedures(IEntityType entityType)
    {
        if (entityType.Model.KeysAreIdsOnly()
            && entityType.FindTenantProperty() is { } tenant
            && entityType.GetUpdateStoredProcedure() is { } procedure
            && procedure.FindOriginalValueParameter(tenant.Name) is null)
        {
            throw new InvalidOperationException(TenancyStrings.IdOnlyProcedureWithoutTenant(
                entityType.DisplayName(), procedure.Name, tenant.Name));
        }
    }

    private static bool HasTableWithoutTenant(IEntityType entityType)
        => entityType.GetMappingFragments(StoreObjectType.Table).Any()
            || (entityType.BaseType is not null
                && entityType.GetMappingStrategy() != RelationalAnnotationNames.TpcMappingStrategy
                && entityType.GetTableName() is { } table
                && table != entityType.GetRootType().GetTableName());

    // Conventions of the application come behind ours.
    private static void ValidateFilter(IEntityType entityType, MultiTenancyPolicy? policy)
    {
        if (entityType.BaseType is not null)
        {
            return;
        }

        if (entityType.FindTenantProperty() is null
            ? policy?.Includes(entityType) == true && MultiTenancyPolicy.HasTenantProperty(entityType, entityType.Model.KeysAreIdsOnly())
            : !entityType.IsOwned()
                && !TenantFilterExpression.IsIn(entityType.FindDeclaredQueryFilter(TenancyDefaults.QueryFilterName)?.Expression))
        {
            throw new InvalidOperationException(TenancyStrings.MultiTenantedWithoutFilter(entityType.DisplayName()));
        }
    }

    private static void ValidateReferences(IEntityType entityType)
    {
        foreach (var foreignKey in entityType.GetDeclaredForeignKeys())
        {
            if (foreignKey.PrincipalEntityType.FindTenantProperty() is { } principalTenant && !entityType.Model.KeysAreIdsOnly())
            {
                var position = foreignKey.PrincipalKey.Properties.ToList().IndexOf(principalTenant);
                if (position < 0 || foreignKey.Properties[position] != entityType.FindTenantProperty())
                {
                    throw new InvalidOperationException(TenancyStrings.ReferenceLeavesTenant(
                        entityType.DisplayName(), foreignKey.PrincipalEntityType.DisplayName(), Names(foreignKey.Properties)));
                }
            }
        }
    }

    private static void ValidateSharedRows(IEntityType entityType)
    {
        if (entityType.AsksForSharedRows() && !entityType.HasSharedRows())
        {
            throw new InvalidOperationException(
                TenancyStrings.SharedRowsOfDerivedType(entityType.DisplayName(), entityType.GetRootType().DisplayName()));
        }
    }

    private static string Names(IReadOnlyList<IProperty> properties)
        => "{" + string.Join(", ", properties.Select(p => p.Name)) + "}";

    private static void ValidateTables(IModel model)
    {
        var tables = model.GetEntityTypes()
            .Where(e => e.GetTableName() is not null)
            .GroupBy(e => (Schema: e.GetSchema(), Table: e.GetTableName()!))
            .ToList();

        var names = tables.ToDictionary(t => (t.Key.Schema, t.Key.Table), t => t.First().DisplayName());
        foreach (var table in tables)
        {
            var partitionings = table.Select(e => e.GetRootType().GetTenantPartitioning()).Distinct().ToList();
            if (partitionings.Count > 1)
            {
                throw new InvalidOperationException(TenancyStrings.TablePartitioningDiffers(
                    table.Key.Table, table.First().DisplayName(), table.Last().DisplayName()));
            }

            // Long names are cut, and a partition may be called what another table is called.
            foreach (var partition in partitionings[0]?.Partitions ?? [])
            {
                var name = TenantPartitionNaming.PartitionName(table.Key.Table, partition.Suffix);
                if (!names.TryAdd((table.Key.Schema, name), table.First().DisplayName()))
                {
                    throw new InvalidOperationException(TenancyStrings.PartitionNameCollision(
                        table.First().DisplayName(), partition.Suffix, name, names[(table.Key.Schema, name)]));
                }
            }
        }
    }

    private static void ValidateRegistry(IModel model)
    {
        if (model.GetEntityTypes().Where(e => e.GetTenantPartitioning()?.IsManaged == true)
                .DistinctBy(e => e.GetTenantPartitioning()!.RegistrySchema).ToList() is [var first, var second, ..])
        {
            throw new InvalidOperationException(TenancyStrings.SeveralRegistries(
                first.DisplayName(), first.GetTenantPartitioning()!.RegistrySchema!,
                second.DisplayName(), second.GetTenantPartitioning()!.RegistrySchema!));
        }
    }

    private static void ValidateStorageParameters(IEntityType entityType)
    {
        if (entityType.GetStorageParameters().Keys.FirstOrDefault() is { } parameter)
        {
            throw new InvalidOperationException(
                TenancyStrings.StorageParameterOnPartitionedTable(entityType.DisplayName(), parameter));
        }
    }

    private static void ValidateRowVersions(IEntityType entityType)
    {
        // EF reads it back with INSERT … RETURNING.
        if (entityType.GetDerivedTypesInclusive().SelectMany(t => t.GetDeclaredProperties())
                .FirstOrDefault(p => p.GetColumnName() == "xmin") is { } property)
        {
            throw new InvalidOperationException(
                TenancyStrings.SystemColumnOnPartitionedTable(property.DeclaringType.DisplayName(), property.Name));
        }
    }

    private static void ValidatePartitioning(IEntityType entityType, TenantPartitioning partitioning)
    {
        var entity = entityType.DisplayName();
        if (entityType.FindTenantProperty() is not { } tenant)
        {
            throw new InvalidOperationException(TenancyStrings.PartitionedEntityIsSingleTenanted(entity));
        }

        if (partitioning.Partitions is not { } partitions)
        {
            return;
        }

        if (partitions.Count == 0)
        {
            throw new InvalidOperationException(
                TenancyStrings.NoPartitions(entity, partitioning.Strategy.ToString().ToUpperInvariant()));
        }

        if (partitions.Where(p => p.IsDefault).ToList() is [var first, .., var last])
        {
            throw new InvalidOperationException(TenancyStrings.DuplicateDefaultPartition(entity, first.Suffix, last.Suffix));
        }

        ValidateNames(entityType, partitions);
        ValidateListValues(entity, partitions);
        ValidateRanges(entity, TenantIdConverter.For(tenant), partitions);
    }

    private static void ValidateNames(IEntityType entityType, IReadOnlyList<TenantPartition> partitions)
    {
        var entity = entityType.DisplayName();
        if (partitions.GroupBy(p => p.Suffix).FirstOrDefault(g => g.Skip(1).Any()) is { } duplicate)
        {
            throw new InvalidOperationException(TenancyStrings.DuplicatePartitionSuffix(entity, duplicate.Key));
        }

        foreach (var partition in partitions)
        {
            TenantPartitionNaming.CheckSuffix(partition, entity);
        }
    }

    private static void ValidateListValues(string entity, IReadOnlyList<TenantPartition> partitions)
    {
        var owners = new Dictionary<string, string>();
        foreach (var (suffix, values) in partitions.Where(p => p.Values is not null).Select(p => (p.Suffix, p.Values!)))
        {
            if (values.Count == 0)
            {
                throw new InvalidOperationException(TenancyStrings.PartitionHasNoValues(entity, suffix));
            }

            foreach (var value in values)
            {
                if (!owners.TryAdd(value, suffix))
                {
                    throw new InvalidOperationException(
                        TenancyStrings.DuplicatePartitionValue(entity, value, owners[value], suffix));
                }
            }
        }
    }

    private static void ValidateRanges(string entity, TenantIdConverter ids, IReadOnlyList<TenantPartition> partitions)
    {
        var ranges = partitions.Where(p => p.From is not null).ToList();
        foreach (var range in ranges)
        {
            if (ids.Compare(range.From!, range.To!) >= 0)
            {
                throw new InvalidOperationException(TenancyStrings.EmptyRange(entity, range.Suffix, range.From!, range.To!));
            }
        }

        ranges.Sort((a, b) => ids.Compare(a.From!, b.From!));
        for (var i = 1; i < ranges.Count; i++)
        {
            if (ids.Compare(ranges[i].From!, ranges[i - 1].To!) < 0)
            {
                throw new InvalidOperationException(
                    TenancyStrings.OverlappingRanges(entity, ranges[i - 1].Suffix, ranges[i].Suffix));
            }
        }
    }

    private static void ValidateIndexesOfPartitionedTable(IEntityType entityType)
    {
        if (entityType.GetDerivedTypesInclusive().SelectMany(t => t.GetDeclaredIndexes())
                .FirstOrDefault(i => i.IsUnique && i.IsGlobal()) is { } index)
        {
            throw new InvalidOperationException(
                TenancyStrings.GlobalIndexOnPartitionedTable(index.DeclaringEntityType.DisplayName(), Names(index.Properties)));
        }
    }
}
#pragma warning restore EF1001
