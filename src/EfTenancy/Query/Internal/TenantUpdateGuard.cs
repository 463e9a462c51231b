using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Query.Internal;

/// <summary>Refuses an <c>ExecuteUpdate</c> that sets the tenant: it would give rows to another tenant, past the guard of a save.</summary>
public sealed class TenantUpdateGuard(IModel model) : ExpressionVisitor
{
    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (node.Method.Name == nameof(EntityFrameworkQueryableExtensions.ExecuteUpdate)
            && node.Method.DeclaringType == typeof(EntityFrameworkQueryableExtensions)
            && node.Arguments[1] is NewArrayExpression setters)
        {
            foreach (var setter in setters.Expressions.OfType<NewExpression>())
            {
                RefuseTenant(Property(setter.Arguments[0]));
            }
        }

        return base.VisitMethodCall(node);
    }

    private void RefuseTenant((Expression Entity, string Name)? property)
    {
        if (property is var (entity, name)
            && model.GetEntityTypes().FirstOrDefault(
                e => e.ClrType.IsAssignableTo(entity.Type) && e.FindTenantProperty()?.Name == name) is { } entityType)
        {
            throw new InvalidOperationException(TenancyStrings.ExecuteUpdateSetsTenant(entityType.DisplayName(), name));
        }

        if (model.KeysAreIdsOnly() && property is var (source, column))
        {
            RefuseReference(source.Type, column);
        }
    }

    private void RefuseReference(Type type, string name)
    {
        foreach (var entityType in model.GetEntityTypes().Where(e => e.ClrType.IsAssignableTo(type)))
        {
            if (entityType.FindProperty(name)?.GetContainingForeignKeys()
                    .FirstOrDefault(fk => fk.PrincipalEntityType.FindTenantProperty() is not null) is { } foreignKey)
            {
                throw new InvalidOperationException(TenancyStrings.ExecuteUpdateSetsReference(
                    entityType.DisplayName(), name, foreignKey.PrincipalEntityType.DisplayName()));
            }
        }
    }

    private static (Expression, string)? Property(Expression expression)
        => expression switch
        {
            LambdaExpression lambda => Property(lambda.Body),
            UnaryExpression unary => Property(unary.Operand),
            MemberExpression { Expression: { } entity } member => (entity, member.Member.Name),
            MethodCallExpression { Method.Name: nameof(EF.Property), Arguments: [var entity, ConstantExpression { Value: string name }] }
                => (entity, name),
            // A join entity of EF: row["TenantId"].
            MethodCallExpression { Method.Name: "get_Item", Object: { } entity, Arguments: [ConstantExpression { Value: string name }] }
                => (entity, name),
            _ => null,
        };
}
