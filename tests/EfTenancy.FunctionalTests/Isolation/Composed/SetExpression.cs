using System.Data.Common;
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>A set that a composed query reads, of no context yet.</summary>
/// <param name="entityType">That of plain EF.</param>
/// <param name="sql">What the rows come out of, if it is SQL: all tenants' rows do.</param>
/// <param name="arguments">Those of the SQL.</param>
public sealed class SetExpression(IEntityType entityType, string? sql = null, params object[] arguments) : Expression
{
    public IEntityType EntityType { get; } = entityType;

    public bool IsSql
        => sql is not null;

    public override Type Type
        => typeof(IQueryable<>).MakeGenericType(EntityType.ClrType);

    public override ExpressionType NodeType
        => ExpressionType.Extension;

    public Expression In(DbContext db)
        => (Expression)new Func<DbContext, Expression>(In<object>).Method.GetGenericMethodDefinition()
            .MakeGenericMethod(EntityType.ClrType).Invoke(this, [db])!;

    /// <summary>The same in a query that is given its context.</summary>
    public Expression In(ParameterExpression db)
    {
        var set = EntityType.HasSharedClrType
            ? Call(db, nameof(DbContext.Set), [EntityType.ClrType], Constant(EntityType.Name))
            : Call(db, nameof(DbContext.Set), [EntityType.ClrType]);
        return sql is not null
            ? Call(
                typeof(RelationalQueryableExtensions),
                nameof(RelationalQueryableExtensions.FromSqlRaw),
                [EntityType.ClrType],
                set,
                Constant(sql),
                NewArrayInit(typeof(object), arguments.Select(a => Convert(Constant(a), typeof(object)))))
            : set;
    }

    /// <summary>Whether SQL can give the rows of a type: EF asks that they are those of one table.</summary>
    public static bool IsOfOneTable(IEntityType entityType)
        => !entityType.IsOwned()
            && entityType.GetTableName() is { } table
            && !entityType.GetMappingFragments().Any()
            && entityType.GetRootType().GetDerivedTypesInclusive().All(t => t.GetTableName() == table);

    public override string ToString()
        => $"Set<{EntityType.ShortName()}>({string.Join(", ", [sql, .. arguments.Select(a => a is DbParameter p ? $"{p.ParameterName}={p.Value}" : a)])})";

    protected override Expression VisitChildren(ExpressionVisitor visitor)
        => this;

    private Expression In<T>(DbContext db)
        where T : class
    {
        var set = EntityType.HasSharedClrType ? db.Set<T>(EntityType.Name) : db.Set<T>();
        return (sql is not null ? set.FromSqlRaw(sql, arguments) : set.AsQueryable()).Expression;
    }
}
