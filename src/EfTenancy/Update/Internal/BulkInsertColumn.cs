using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Update.Internal;

/// <summary>Writes one column of a binary COPY: a property through its value converter, as the type that the model gives it.</summary>
public sealed class BulkInsertColumn<TEntity>
{
    public delegate Task Writer(NpgsqlBinaryImporter importer, TEntity entity, CancellationToken cancellationToken);

    private static readonly MethodInfo WriteMethod = typeof(NpgsqlBinaryImporter).GetMethods()
        .Single(m => m.Name == nameof(NpgsqlBinaryImporter.WriteAsync)
            && m.GetParameters() is [_, { ParameterType: var type }, _] && type == typeof(NpgsqlDbType));

    private static readonly MethodInfo WriteByNameMethod = typeof(NpgsqlBinaryImporter).GetMethods()
        .Single(m => m.Name == nameof(NpgsqlBinaryImporter.WriteAsync)
            && m.GetParameters() is [_, { ParameterType: var type }, _] && type == typeof(string));

    private static readonly MethodInfo WriteNullMethod
        = typeof(NpgsqlBinaryImporter).GetMethod(nameof(NpgsqlBinaryImporter.WriteNullAsync))!;

    private readonly Func<TEntity, bool>? _hasValue;

    public BulkInsertColumn(IProperty property, IColumn column)
    {
        Property = property;
        Name = column.Name;
        IsLeftToDatabaseIfUnset = property.ValueGenerated.HasFlag(ValueGenerated.OnAdd);

        var importer = Expression.Parameter(typeof(NpgsqlBinaryImporter), "importer");
        var entity = Expression.Parameter(typeof(TEntity), "entity");
        var cancellationToken = Expression.Parameter(typeof(CancellationToken), "cancellationToken");

        Write = Expression.Lambda<Writer>(
            WriteValue(importer, Member(entity, property), property.GetRelationalTypeMapping(), cancellationToken),
            importer, entity, cancellationToken).Compile();

        if (IsLeftToDatabaseIfUnset)
        {
            _hasValue = Expression.Lambda<Func<TEntity, bool>>(
                Expression.NotEqual(Member(entity, property), Expression.Constant(property.Sentinel, property.ClrType)),
                entity).Compile();
        }
    }

    public IProperty Property { get; }

    public string Name { get; }

    public bool IsLeftToDatabaseIfUnset { get; }

    public Writer Write { get; }

    public bool HasValue(TEntity entity)
        => _hasValue?.Invoke(entity) ?? true;

    private static MemberExpression Member(ParameterExpression entity, IProperty property)
        => Expression.MakeMemberAccess(
            entity,
            property.GetMemberInfo(forMaterialization: false, forSet: false));

    private static Expression WriteValue(
        ParameterExpression importer,
        Expression value,
        RelationalTypeMapping mapping,
        ParameterExpression cancellationToken)
    {
        var isNull = value.Type.IsValueType && Nullable.GetUnderlyingType(value.Type) is null
            ? null
            : Expression.Equal(value, Expression.Constant(null, value.Type));

        var present = Nullable.GetUnderlyingType(value.Type) is { } underlying ? Expression.Convert(value, underlying) : value;
        if (mapping.Converter is { } converter)
        {
            var convert = converter.ConvertToProviderExpression;
            present = Expression.Invoke(convert, ConvertIfNeeded(present, convert.Parameters[0].Type));
        }

        var write = WritePresent(importer, present, mapping, cancellationToken);
        return isNull is null
            ? write
            : Expression.Condition(isNull, Expression.Call(importer, WriteNullMethod, cancellationToken), write);

        static Expression ConvertIfNeeded(Expression expression, Type type)
            => expression.Type == type ? expression : Expression.Convert(expression, type);
    }

    // The mapping itself says how it sends a value: ask it for a parameter.
    private static MethodCallExpression WritePresent(
        ParameterExpression importer,
        Expression value,
        RelationalTypeMapping mapping,
        ParameterExpression cancellationToken)
    {
        using var command = new NpgsqlCommand();
        var parameter = (NpgsqlParameter)mapping.CreateParameter(command, "p", null, nullable: true);

        return parameter.NpgsqlDbType is not NpgsqlDbType.Unknown and var type
            ? Expression.Call(importer, WriteMethod.MakeGenericMethod(value.Type), value, Expression.Constant(type), cancellationToken)
            : Expression.Call(
                importer,
                WriteByNameMethod.MakeGenericMethod(value.Type),
                value,
                Expression.Constant(parameter.DataTypeName ?? mapping.StoreTypeNameBase),
                cancellationToken);
    }
}
