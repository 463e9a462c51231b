using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>A set that a composed query reads, of no context yet.</summary>
public sealed class SetExpression(IEntityType entityType) : Expression
{
    public IEntityType EntityType { get; } = entityType;

    public override Type Type
        => typeof(IQueryable<>).MakeGenericType(EntityType.ClrType);

    public override ExpressionType NodeType
        => ExpressionType.Extension;

    public Expression In(DbContext db)
        => (Expression)new Func<DbContext, Expression>(In<object>).Method.GetGenericMethodDefinition()
            .MakeGenericMethod(EntityType.ClrType).Invoke(this, [db])!;

    public override string ToString()
        => $"Set<{EntityType.ShortName()}>()";

    protected override Expression VisitChildren(ExpressionVisitor visitor)
        => this;

    private Expression In<T>(DbContext db)
        where T : class
        => (EntityType.HasSharedClrType ? db.Set<T>(EntityType.Name) : db.Set<T>()).AsQueryable().Expression;
}
