using System.Linq.Expressions;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;

namespace EfTenancy.Update.Internal;

/// <summary>
///     What the rows of one entity type hold: the parts that share a row, the tables it is spread over, and the owned entities whose rows
///     stand in tables of their own.
/// </summary>
public sealed class BulkInsertRowType
{
    private readonly Dictionary<ITable, Dictionary<IColumn, List<(BulkInsertPart Part, IColumnMapping Mapping)>>> _columns = [];
    private readonly Dictionary<ITable, Dictionary<IColumn, BulkInsertCell>> _cells = [];
    private readonly List<BulkInsertPart> _parts = [];
    private readonly List<BulkInsertGeneratedProperty> _generated = [];
    private readonly List<(BulkInsertPart Owner, INavigation Navigation)> _ownedNavigations = [];
    private readonly IReadOnlyList<Action<BulkInsertRow>> _fixUp;
    private readonly List<Func<BulkInsertRow, string?>> _namedTenants = [];

    public BulkInsertRowType(
        IEntityType entityType,
        IValueGeneratorSelector generators,
        BulkInsertPart? owner = null,
        IForeignKey? ownership = null)
    {
        EntityType = entityType;
        Tables = BulkInsertTable.Sort(entityType.GetTableMappings().Select(m => (ITable)m.Table));
        foreach (var table in Tables)
        {
            _columns.Add(table, []);
            _cells.Add(table, []);
        }

        AddPart(new BulkInsertPart(entityType, owner, ownership));
        AddGeneratedProperties(generators);

        // Only now, since what is written reads what is generated, here and in the owner's row.
        AddCells();
        AddNamedTenants();
        _fixUp = [.. _parts.SelectMany(p => p.FixUps())];
        Owned =
        [
            .. _ownedNavigations.Select(
                o => new BulkInsertOwnedRows(
                    o.Owner,
                    o.Navigation,
                    new BulkInsertRowType(o.Navigation.TargetEntityType, generators, o.Owner, o.Navigation.ForeignKey))),
        ];
    }

    public IEntityType EntityType { get; }

    /// <summary>The tables that a row is spread over, principals first.</summary>
    public IReadOnlyList<ITable> Tables { get; }

    public IReadOnlyList<BulkInsertGeneratedProperty> Generated
        => _generated;

    public IReadOnlyList<BulkInsertOwnedRows> Owned { get; }

    /// <summary>Whether keys must be known before the rows are written, since other rows hold them.</summary>
    public bool NeedsKeys
        => Tables.Count > 1 || Owned.Count > 0 || _cells[Tables[0]].Values.All(c => c.CanBeLeft);

    public IReadOnlyDictionary<IColumn, BulkInsertCell> CellsOf(ITable table)
        => _cells.GetValueOrDefault(table) ?? [];

    public object?[] NewGenerated()
        => _generated.Count == 0 ? [] : new object?[_generated.Count];

    /// <summary>Sets the foreign keys into the entities that follow from owners and navigations.</summary>
    public void FixUp(BulkInsertRow row)
    {
        foreach (var fixUp in _fixUp)
        {
            fixUp(row);
        }
    }

    /// <summary>A tenant that the row's objects, or what they reference, name and that is not the row's own.</summary>
    public string? OtherTenant(BulkInsertRow row, Func<string, string> normalize)
    {
        foreach (var namedTenant in _namedTenants)
        {
            // As the guard of a save: an empty one is one that nobody set.
            if (namedTenant(row) is { Length: > 0 } named && named != row.TenantId && normalize(named) != row.TenantId)
            {
                return named;
            }
        }

        return null;
    }

    private void AddPart(BulkInsertPart part)
    {
        _parts.Add(part);
        foreach (var table in Tables)
        {
            if (part.Type.GetTableMappings().FirstOrDefault(m => m.Table == table) is { } mapping)
            {
                part.Add(mapping);
                AddColumns(part, _columns[table], mapping);
            }
        }

        foreach (var complex in part.Type.GetComplexProperties())
        {
            if (complex.ComplexType.IsMappedToJson())
            {
                AddJson(part, complex, complex.ComplexType.GetContainerColumnName()!);
            }
            else
            {
                AddPart(new BulkInsertPart(part, complex));
            }
        }

        if (part.Type is IEntityType entityType)
        {
            foreach (var navigation in entityType.GetNavigations().Where(n => !n.IsOnDependent && !n.IsShadowProperty()))
            {
                AddDependents(part, navigation);
            }
        }
    }

    private static void AddColumns(
        BulkInsertPart part,
        Dictionary<IColumn, List<(BulkInsertPart Part, IColumnMapping Mapping)>> columns,
        ITableMapping mapping)
    {
        foreach (var column in mapping.ColumnMappings)
        {
            // Computed columns and the system's.
            if (column.Property.GetBeforeSaveBehavior() == PropertySaveBehavior.Ignore || column.Property.DeclaringType.IsMappedToJson())
            {
                continue;
            }

            if (!columns.TryGetValue(column.Column, out var sources))
            {
                columns.Add(column.Column, sources = []);
            }

            // What shares the row shares its key.
            if (sources.Count == 0 || !(BulkInsertTenant.Is(column.Property) || part.IsLinked(column.Property)))
            {
                sources.Add((part, column));
            }
        }
    }

    private void AddDependents(BulkInsertPart part, INavigation navigation)
    {
        var target = navigation.TargetEntityType;
        if (target.IsMappedToJson())
        {
            AddJson(part, navigation, target.GetContainerColumnName()!);
        }
        else if (target.GetTableMappings().Any(
                     m => Tables.Contains(m.Table) && m.Table.GetRowInternalForeignKeys(target).Contains(navigation.ForeignKey)))
        {
            if (target.GetDirectlyDerivedTypes().Any())
            {
                throw new NotSupportedException(
                    TenancyStrings.BulkInsertNotSupported(
                        EntityType.DisplayName(), $"its row is shared with '{target.DisplayName()}', which is a hierarchy"));
            }

            AddPart(new BulkInsertPart(part, navigation));
        }
        else if (navigation.ForeignKey.IsOwnership)
        {
            _ownedNavigations.Add((part, navigation));
        }
    }

    private void AddJson(BulkInsertPart part, IPropertyBase member, string container)
    {
        foreach (var table in Tables)
        {
            if (table.FindColumn(container) is { } column && part.IsIn(table))
            {
                _cells[table].Add(column, BulkInsertCell.Of(part, member, column));
            }
        }
    }

    private void AddGeneratedProperties(IValueGeneratorSelector generators)
    {
        foreach (var part in _parts)
        {
            foreach (var property in part.Type.GetProperties())
            {
                if (BulkInsertTenant.Is(property) || part.IsLinked(property) || property == part.Type.FindDiscriminatorProperty())
                {
                    continue;
                }

                var home = part.HomeOf(property);
                if (GeneratorOf(property, generators) is { } generator)
                {
                    Add(new BulkInsertGeneratedProperty(part, property, home, _generated.Count, true, BulkInsertGenerator.IsPure(generator)));
                }
                else if (home is not null
                    && property.ValueGenerated.HasFlag(ValueGenerated.OnAdd)
                    && property.GetBeforeSaveBehavior() != PropertySaveBehavior.Ignore)
                {
                    Add(new BulkInsertGeneratedProperty(part, property, home, _generated.Count, false, true));
                }
            }
        }

        void Add(BulkInsertGeneratedProperty generated)
        {
            _generated.Add(generated);
            generated.Part.Add(generated);
        }
    }

    private static ValueGenerator? GeneratorOf(IProperty property, IValueGeneratorSelector generators)
#pragma warning disable EF1001 // EF's own decision whether it generates a value when an entity is added.
        => property.RequiresValueGenerator()
#pragma warning restore EF1001
            && generators.TrySelect(property, property.DeclaringType, out var generator)
            && !generator!.GeneratesTemporaryValues
                ? generator
                : null;

    private void AddCells()
    {
        foreach (var (table, columns) in _columns)
        {
            foreach (var (column, sources) in columns)
            {
                _cells[table].Add(column, BulkInsertCell.Of(sources, table));
            }
        }
    }

    private void AddNamedTenants()
    {
        var row = Expression.Parameter(typeof(BulkInsertRow), "row");
        foreach (var part in _parts)
        {
            foreach (var property in part.Type.GetProperties().Where(p => BulkInsertTenant.Is(p) && !p.IsShadowProperty()))
            {
                Add(property, part.Member(property, row));
            }

            foreach (var navigation in part.Principals())
            {
                foreach (var key in navigation.ForeignKey.PrincipalKey.Properties.Where(p => BulkInsertTenant.Is(p) && !p.IsShadowProperty()))
                {
                    var principal = part.Member(navigation, row);
                    var tenant = RowExpression.Read(principal, key);
                    Add(key, Expression.Condition(RowExpression.IsNotNull(principal), tenant, Expression.Default(tenant.Type)));
                }
            }
        }

        void Add(IProperty property, Expression value)
            => _namedTenants.Add(Expression.Lambda<Func<BulkInsertRow, string?>>(BulkInsertTenant.NamedBy(property, value), row).Compile());
    }
}
