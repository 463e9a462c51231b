using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Query.Internal;

/// <summary>Calls of table-valued functions of the model (<c>HasDbFunction</c>). EF makes roots of them while it processes a query, not before.</summary>
public static class TableValuedFunctions
{
    /// <summary>The type of the rows; null where the call is of something else.</summary>
    public static IEntityType? FindEntityTypeOfFunction(this IModel model, MethodCallExpression call)
        => model.FindDbFunction(call.Method) is { IsScalar: false, StoreFunction: var function }
            ? function.EntityTypeMappings.Single().TypeBase as IEntityType
            : null;
}
