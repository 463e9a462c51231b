using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;

namespace EfTenancy.Update.Internal;

/// <summary>What a bulk insert of one entity type and those derived from it writes, worked out once for each model.</summary>
public sealed class BulkInsertPlan
{
    private const string RuntimePlan = TenancyAnnotationNames.Prefix + "RuntimeBulkInsertPlan";

    private readonly Dictionary<Type, BulkInsertRowType> _types;
    private readonly Dictionary<BulkInsertGeneratedProperty, string> _sql = [];

    private BulkInsertPlan(IEntityType entityType, IValueGeneratorSelector generators, ISqlGenerationHelper sql)
    {
        EntityType = entityType;
        _types = entityType.GetDerivedTypesInclusive().Where(t => !t.IsAbstract()).ToDictionary(
            t => t.ClrType,
            t => ReasonAgainst(t) is { } reason
                ? throw new NotSupportedException(TenancyStrings.BulkInsertNotSupported(t.DisplayName(), reason))
                : new BulkInsertRowType(t, generators));
        Types = [.. _types.Values.SelectMany(WithOwned)];
        Tables = [.. BulkInsertTable.Sort(Types.SelectMany(t => t.Tables)).Select(t => new BulkInsertTable(t, Types))];

        foreach (var generated in Types.SelectMany(t => t.Generated).Where(g => !g.IsByApplication))
        {
            if (generated.Sql(sql) is { } valueSql)
            {
                _sql.Add(generated, valueSql);
            }
        }
    }

    public IEntityType EntityType { get; }

    public bool IsMultiTenanted
        => EntityType.FindTenantProperty() is not null;

    /// <summary>The types of rows: those of the entities, and those of owned entities with tables of their own.</summary>
    public IReadOnlyList<BulkInsertRowType> Types { get; }

    /// <summary>The tables, principals first.</summary>
    public IReadOnlyList<BulkInsertTable> Tables { get; }

    public static BulkInsertPlan For(DbContext context, Type clrType)
    {
        var entityType = context.Model.FindEntityType(clrType)
            ?? throw new InvalidOperationException(TenancyStrings.EntityNotInModel(clrType.Name, context.GetType().Name));

        return entityType.GetOrAddRuntimeAnnotationValue(
            RuntimePlan,
            static a => new BulkInsertPlan(a.entityType, a.context.GetService<IValueGeneratorSelector>(), a.context.GetService<ISqlGenerationHelper>()),
            (entityType, context));
    }

    public BulkInsertRowType TypeOf(object entity)
    {
        ArgumentNullException.ThrowIfNull(entity);

        for (var type = entity.GetType(); type is not null; type = type.BaseType)
        {
            if (_types.TryGetValue(type, out var rowType))
            {
                return rowType;
            }

            // Only a proxy stands for its base type. Another derived type may have data that no column holds.
            if (!type.Assembly.IsDynamic)
            {
                break;
            }
        }

        throw new InvalidOperationException(TenancyStrings.BulkInsertTypeNotInModel(entity.GetType().Name, EntityType.DisplayName()));
    }

    /// <summary>What the database is asked for, before rows are written that need it or, on request, have it.</summary>
    public IReadOnlyDictionary<BulkInsertGeneratedProperty, string> Reserved(bool returnGeneratedValues)
    {
        var reserved = new Dictionary<BulkInsertGeneratedProperty, string>();
        foreach (var type in Types)
        {
            // Types of a hierarchy share the table that generates.
            var needsKeys = returnGeneratedValues || Types.Any(t => t.NeedsKeys && t.EntityType.GetRootType() == type.EntityType.GetRootType());
            foreach (var generated in type.Generated.Where(g => !g.IsByApplication))
            {
                var isNeeded = generated.Property.IsKey() && needsKeys;
                if (_sql.TryGetValue(generated, out var sql) && (isNeeded || returnGeneratedValues))
                {
                    reserved.Add(generated, sql);
                }
                else if (isNeeded)
                {
                    throw new NotSupportedException(
                        TenancyStrings.BulkInsertNotSupported(
                            type.EntityType.DisplayName(),
                            $"its key '{generated.Property.Name}' must be known before the row is written, and the model does not say how the database generates it"));
                }
            }
        }

        return reserved;
    }

    /// <summary>Whether the rows can go into one COPY one after the other.</summary>
    public bool IsStreamed(bool returnGeneratedValues)
        => Tables is [{ LeavesColumns: false }]
            && Types.All(t => t.Owned.Count == 0 && t.Generated.All(g => g.IsPure))
            && Reserved(returnGeneratedValues).Count == 0;

    private static IEnumerable<BulkInsertRowType> WithOwned(BulkInsertRowType type)
        => type.Owned.SelectMany(o => WithOwned(o.Type)).Prepend(type);

    private static string? ReasonAgainst(IEntityType entityType)
        => entityType.IsOwned() ? "it is owned by another entity, and inserted with it"
            : entityType.HasSharedClrType ? "its class stands for several entity types"
            : !entityType.GetTableMappings().Any() ? "it is not mapped to a table"
            : entityType.GetInsertStoredProcedure() is not null ? "it is inserted by a stored procedure"
            : entityType.GetTableMappings().SelectMany(m => m.Table.GetRowInternalForeignKeys(entityType)).FirstOrDefault() is { } shared
                ? $"it shares its row with '{shared.PrincipalEntityType.DisplayName()}', and is inserted with it"
            : entityType.Model.KeysAreIdsOnly()
                && entityType.GetForeignKeys().FirstOrDefault(f => !f.IsOwnership && f.PrincipalEntityType.FindTenantProperty() is not null) is { } reference
                ? $"under TenantKeyStyle.IdOnly only a save looks whether the row of '{reference.PrincipalEntityType.DisplayName()}' that it references is of the same tenant"
            : null;
}
