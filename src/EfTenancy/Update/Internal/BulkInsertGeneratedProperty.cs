using System.Linq.Expressions;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

namespace EfTenancy.Update.Internal;

/// <summary>A property that is generated where the application left it unset: by EF before the row is written, or by the database.</summary>
public sealed class BulkInsertGeneratedProperty(BulkInsertPart part, IProperty property, ITable? home, int slot, bool byApplication, bool isPure)
{
    private Func<BulkInsertRow, bool>? _isWanted;
    private Action<BulkInsertRow>? _setIntoEntity;

    public BulkInsertPart Part { get; } = part;

    public IProperty Property { get; } = property;

    /// <summary>The table whose column generates it; other tables get its value.</summary>
    public ITable? Home { get; } = home;

    public int Slot { get; } = slot;

    public bool IsByApplication { get; } = byApplication;

    /// <summary>Whether EF generates it without the database, which is busy while rows are streamed.</summary>
    public bool IsPure { get; } = isPure;

    /// <summary>Whether the row has the object, and that no value.</summary>
    public bool IsWanted(BulkInsertRow row)
        => (_isWanted ??= CompileIsWanted())(row);

    public void SetIntoEntity(BulkInsertRow row)
        => (_setIntoEntity ??= Part.Setter(Property, Value) ?? (_ => { }))(row);

    public Expression Value(Expression row)
        => Expression.ArrayIndex(Expression.Property(row, nameof(BulkInsertRow.Generated)), Expression.Constant(Slot));

    /// <summary>What the database would take for one row; null if only the database knows.</summary>
    public string? Sql(ISqlGenerationHelper sql)
    {
        var table = StoreObjectIdentifier.Table(Home!.Name, Home.Schema);
        var column = Home.FindColumn(Property)!;
        var value = Property.GetValueGenerationStrategy(table) is NpgsqlValueGenerationStrategy.IdentityByDefaultColumn
                or NpgsqlValueGenerationStrategy.IdentityAlwaysColumn
                or NpgsqlValueGenerationStrategy.SerialColumn
            ? $"nextval(pg_get_serial_sequence({SqlLiteral.Of(sql.DelimitIdentifier(Home.Name, Home.Schema))}, {SqlLiteral.Of(column.Name)}))"
            : column.DefaultValueSql is { Length: > 0 } defaultSql ? defaultSql
            : Property.TryGetDefaultValue(table, out var defaultValue)
                ? Property.GetRelationalTypeMapping().GenerateSqlLiteral(defaultValue)
            : null;

        return value is null ? null : $"CAST({value} AS {column.StoreType})";
    }

    private Func<BulkInsertRow, bool> CompileIsWanted()
    {
        var row = Expression.Parameter(typeof(BulkInsertRow), "row");
        var isWanted = Expression.Not(Part.IsSet(Property, row));
        return Expression.Lambda<Func<BulkInsertRow, bool>>(
            Part.IsPresent(row) is { } isPresent ? Expression.AndAlso(isPresent, isWanted) : isWanted,
            row).Compile();
    }
}
