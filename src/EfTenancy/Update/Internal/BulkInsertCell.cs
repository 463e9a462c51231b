using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Update.Internal;

/// <summary>Writes one column of rows of one type to a binary COPY, or leaves it to the database.</summary>
public sealed class BulkInsertCell
{
    public delegate Task Writer(NpgsqlBinaryImporter importer, BulkInsertRow row, CancellationToken cancellationToken);

    private static readonly MethodInfo WriteMethod = typeof(BulkInsertCell).GetMethod(nameof(WriteValueAsync), BindingFlags.NonPublic | BindingFlags.Static)!;

    private static readonly MethodInfo WriteByNameMethod = typeof(BulkInsertCell).GetMethod(nameof(WriteByNameAsync), BindingFlags.NonPublic | BindingFlags.Static)!;

    private static readonly MethodInfo WriteNullMethod = typeof(NpgsqlBinaryImporter).GetMethod(nameof(NpgsqlBinaryImporter.WriteNullAsync))!;

    private static readonly MethodInfo SerializeMethod = typeof(BulkInsertJson).GetMethod(nameof(BulkInsertJson.Serialize))!;

    private readonly Func<BulkInsertRow, bool>? _hasValue;

    private BulkInsertCell(IProperty? generated, Func<BulkInsertRow, bool>? hasValue, Writer write)
        => (Generated, _hasValue, Write) = (generated, hasValue, write);

    /// <summary>The property that the database generates where it is unset, if it is one.</summary>
    public IProperty? Generated { get; }

    /// <summary>Whether the column is left to the database for rows without a value.</summary>
    public bool CanBeLeft
        => _hasValue is not null;

    public Writer Write { get; }

    public bool HasValue(BulkInsertRow row)
        => _hasValue is null || _hasValue(row);

    /// <summary>Of a property, or of one property of each of several parts that share the column: the first that is set counts.</summary>
    public static BulkInsertCell Of(IReadOnlyList<(BulkInsertPart Part, IColumnMapping Column)> sources, ITable table)
    {
        var (importer, row, cancellationToken) = Parameters();
        var writes = sources.Select(
            s => WriteIfPresent(
                s.Part,
                row,
                WriteValue(importer, s.Part.Value(s.Column.Property, row), s.Column.TypeMapping, cancellationToken),
                importer,
                cancellationToken)).ToList();

        var write = writes[0];
        for (var i = sources.Count - 1; i >= 0 && sources.Count > 1; i--)
        {
            write = Expression.Condition(sources[i].Part.HasValue(sources[i].Column.Property, row), writes[i], write);
        }

        var generated = sources.Select(s => s.Column.Property).FirstOrDefault(p => IsLeftIfUnset(p, sources[0].Part, table));
        return new BulkInsertCell(
            generated,
            generated is null
                ? null
                : Compile<Func<BulkInsertRow, bool>>(
                    sources.Select(s => s.Part.HasValue(s.Column.Property, row)).Aggregate(Expression.OrElse), row),
            Compile<Writer>(write, importer, row, cancellationToken));
    }

    /// <summary>Of a JSON document.</summary>
    public static BulkInsertCell Of(BulkInsertPart part, IPropertyBase member, IColumn column)
    {
        var (importer, row, cancellationToken) = Parameters();
        var document = Expression.Call(
            SerializeMethod, Expression.Constant(member), Expression.Convert(part.Member(member, row), typeof(object)));

        return new BulkInsertCell(
            null, null, Compile<Writer>(WritePresent(importer, document, column.StoreTypeMapping, cancellationToken), importer, row, cancellationToken));
    }

    /// <summary>Of a column that other types of the table have.</summary>
    public static BulkInsertCell Absent(IColumn column)
        => new(
            null,
            column.DefaultValueSql is not null || column.TryGetDefaultValue(out _) ? _ => false : null,
            (importer, _, cancellationToken) => importer.WriteNullAsync(cancellationToken));

    private static bool IsLeftIfUnset(IProperty property, BulkInsertPart part, ITable table)
        => property.ValueGenerated.HasFlag(ValueGenerated.OnAdd)
            && !part.IsLinked(property)
            && part.HomeOf(property) == table;

    private static Expression WriteIfPresent(
        BulkInsertPart part,
        Expression row,
        Expression write,
        Expression importer,
        Expression cancellationToken)
        => part.IsPresent(row) is { } isPresent
            ? Expression.Condition(isPresent, write, Expression.Call(importer, WriteNullMethod, cancellationToken))
            : write;

    private static Expression WriteValue(
        ParameterExpression importer,
        Expression value,
        RelationalTypeMapping mapping,
        ParameterExpression cancellationToken)
    {
        if (mapping.Converter is not { } converter)
        {
            return WritePresent(importer, value, mapping, cancellationToken);
        }

        var local = Expression.Variable(value.Type, "value");
        var convert = converter.ConvertToProviderExpression;
        var write = WritePresent(
            importer,
            Expression.Invoke(convert, RowExpression.As(local, convert.Parameters[0].Type)),
            mapping,
            cancellationToken);

#pragma warning disable EF1001 // A converter of its own nulls, which EF keeps to itself so far.
        if (RowExpression.CanBeNull(value.Type) && !converter.ConvertsNulls)
#pragma warning restore EF1001
        {
            write = Expression.Condition(
                RowExpression.IsNotNull(local), write, Expression.Call(importer, WriteNullMethod, cancellationToken));
        }

        return Expression.Block([local], Expression.Assign(local, value), write);
    }

    // The mapping itself says how it sends a value: ask it for a parameter.
    private static Expression WritePresent(
        ParameterExpression importer,
        Expression value,
        RelationalTypeMapping mapping,
        ParameterExpression cancellationToken)
    {
        using var command = new NpgsqlCommand();
        var parameter = (NpgsqlParameter)mapping.CreateParameter(command, "p", null, nullable: true);
        var isByType = parameter.NpgsqlDbType is not NpgsqlDbType.Unknown;

        if (Nullable.GetUnderlyingType(value.Type) is { } underlying)
        {
            var local = Expression.Variable(value.Type, "nullable");
            return Expression.Block(
                [local],
                Expression.Assign(local, value),
                Expression.Condition(
                    RowExpression.IsNotNull(local),
                    Call(RowExpression.As(local, underlying)),
                    Expression.Call(importer, WriteNullMethod, cancellationToken)));
        }

        return Call(value);

        MethodCallExpression Call(Expression present)
            => Expression.Call(
                (isByType ? WriteMethod : WriteByNameMethod).MakeGenericMethod(present.Type),
                importer,
                present,
                isByType
                    ? Expression.Constant(parameter.NpgsqlDbType)
                    : Expression.Constant(parameter.DataTypeName ?? mapping.StoreTypeNameBase),
                cancellationToken);
    }

    private static Task WriteValueAsync<T>(NpgsqlBinaryImporter importer, T value, NpgsqlDbType type, CancellationToken cancellationToken)
        => value is null ? importer.WriteNullAsync(cancellationToken) : importer.WriteAsync(value, type, cancellationToken);

    private static Task WriteByNameAsync<T>(NpgsqlBinaryImporter importer, T value, string type, CancellationToken cancellationToken)
        => value is null ? importer.WriteNullAsync(cancellationToken) : importer.WriteAsync(value, type, cancellationToken);

    private static (ParameterExpression Importer, ParameterExpression Row, ParameterExpression CancellationToken) Parameters()
        => (Expression.Parameter(typeof(NpgsqlBinaryImporter), "importer"),
            Expression.Parameter(typeof(BulkInsertRow), "row"),
            Expression.Parameter(typeof(CancellationToken), "cancellationToken"));

    private static TDelegate Compile<TDelegate>(Expression body, params ParameterExpression[] parameters)
        where TDelegate : Delegate
        => Expression.Lambda<TDelegate>(body, parameters).Compile();
}
