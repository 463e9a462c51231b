using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Receives an <c>ExecuteUpdate</c> in SQL; hands on one whose table stays joined when EF drops the tables that nothing reads. Where an
///     entity has rows in several, the one that is written may be among those, and nothing would say which of its rows are meant: those
///     of all tenants would be written.
/// </summary>
public static class BulkUpdateTarget
{
    public static UpdateExpression KeepJoined(UpdateExpression update)
    {
        var select = update.SelectExpression;

        return update.Update(
            select.Update(
                [.. select.Tables.Select(t => t is PredicateJoinExpressionBase join && join.Table.Alias == update.Table.Alias ? Kept(join) : t)],
                select.Predicate,
                select.GroupBy,
                select.Having,
                select.Projection,
                select.Orderings,
                select.Offset,
                select.Limit),
            update.ColumnValueSetters);
    }

    // A row that is not there is not written, whatever join looks for it.
    private static InnerJoinExpression Kept(PredicateJoinExpressionBase join)
        => new(join.Table, join.JoinPredicate);
}
