using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>A set that a composed query reads, of no context yet.</summary>
/// <param name="entityType">That of plain EF.</param>
/// <param name="isSql">Whether the rows come out of SQL, which all tenants' rows do.</param>
public sealed class SetExpression(IEntityType entityType, bool isSql = false) : Expression
{
    public IEntityType EntityType { get; } = entityType;

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
        return isSql
            ? Call(
                typeof(RelationalQueryableExtensions),
                nameof(RelationalQueryableExtensions.FromSqlRaw),
                [EntityType.ClrType],
                set,
                Constant(Sql),
                NewArrayInit(typeof(object)))
            : set;
    }

    /// <summary>Whether SQL can give the rows of a type: EF asks that they are those of one table.</summary>
    public static bool IsOfOneTable(IEntityType entityType)
        => entityType.BaseType is null
            && !entityType.GetDerivedTypes().Any()
            && !entityType.GetMappingFragments().Any()
            && entityType.GetTableName() is not null;

    public override string ToString()
        => $"Set<{EntityType.ShortName()}>({(isSql ? Sql : "")})";

    private string Sql
        => $"SELECT * FROM \"{EntityType.GetTableName()}\"";

    protected override Expression VisitChildren(ExpressionVisitor visitor)
        => this;

    private Expression In<T>(DbContext db)
        where T : class
    {
        var set = EntityType.HasSharedClrType ? db.Set<T>(EntityType.Name) : db.Set<T>();
        return (isSql ? set.FromSqlRaw(Sql) : set.AsQueryable()).Expression;
    }
}
