using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Query.Internal;

/// <summary>The values of an entity that a query makes itself, as in <c>o.Customer == new Customer { Id = 1 }</c>.</summary>
public sealed class MadeEntity
{
    private readonly object? _entity;
    private readonly MemberInitExpression? _made;

    private MadeEntity(object? entity, MemberInitExpression? made)
    {
        _entity = entity;
        _made = made;
    }

    public static MadeEntity? Of(Expression made)
        => IsFixed(made)
            ? new MadeEntity(Expression.Lambda<Func<object>>(Expression.Convert(made, typeof(object))).Compile()(), null)
            : made is MemberInitExpression init
                ? new MadeEntity(null, init)
                : null;

    /// <summary>Null where only the constructor knows it.</summary>
    public Expression? Value(IProperty property)
        => _entity is not null
            ? Expression.Constant(property.GetGetter().GetClrValue(_entity), property.ClrType)
            : _made!.Bindings.OfType<MemberAssignment>().FirstOrDefault(b => b.Member.Name == property.Name)?.Expression;

    private static bool IsFixed(Expression expression)
        => expression switch
        {
            ConstantExpression => true,
            UnaryExpression { NodeType: ExpressionType.Convert } unary => IsFixed(unary.Operand),
            NewExpression creation => creation.Arguments.All(IsFixed),
            MemberInitExpression made => IsFixed(made.NewExpression)
                && made.Bindings.All(b => b is MemberAssignment assignment && IsFixed(assignment.Expression)),
            _ => false,
        };
}
