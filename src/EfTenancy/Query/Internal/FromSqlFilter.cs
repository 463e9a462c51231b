using System.Linq.Expressions;
using System.Text;
using System.Text.RegularExpressions;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Receives a query of the application's SQL (<c>FromSql</c>) with nothing but the tenant's filter around it; hands on one with the filter in
///     that SQL. EF takes what is composed over such SQL for a reason to ask the database for each column, and what is not for one to look for
///     the columns itself, by name in whatever case, and to say which is missing.
/// </summary>
public sealed partial class FromSqlFilter(QueryCompilationContext queryCompilationContext, ISqlGenerationHelper sqlGenerationHelper)
{
    private const string ParameterName = "ef_tenancy__arguments";

    public Expression Rewrite(Expression query)
        => query is ShapedQueryExpression
            {
                QueryExpression: SelectExpression
                {
                    Tables: [FromSqlExpression { Table: { } table } fromSql],
                    Predicate: SqlBinaryExpression
                    {
                        OperatorType: ExpressionType.Equal, Left: ColumnExpression column, Right: SqlParameterExpression parameter
                    }
                } select
            } shaped
            // Values in a compiled query are literals in the SQL, of the type that PostgreSQL finds for them.
            && fromSql.Arguments is QueryParameterExpression or ConstantExpression { Value: object[] { Length: 0 } }
            && TenantComparison.IsCurrentTenant(parameter.InvariantName)
            && TenantOf(table, column.Name) is { } tenant
            && WithoutPredicate(select, select.Tables).IsNonComposedFromSql()
                ? shaped.UpdateQueryExpression(WithoutPredicate(select, [Filtered(fromSql, column, parameter, tenant)]))
                : query;

    private FromSqlExpression Filtered(FromSqlExpression fromSql, ColumnExpression column, SqlParameterExpression parameter, IProperty tenant)
    {
        if (!Composable.IsMatch(fromSql.Sql))
        {
            var entityType = tenant.DeclaringType.ContainingEntityType;
            throw new InvalidOperationException(
                TenancyStrings.FromSqlIsNoSubquery(entityType.DisplayName(), entityType.GetSchemaQualifiedTableName() ?? fromSql.Table!.Name));
        }

        // Behind the last argument that the SQL names by number, whatever others it names.
        var position = CompositeFormat.Parse(fromSql.Sql).MinimumArgumentCount;
        var alias = Delimit(fromSql.Alias);
        return new FromSqlExpression(
            fromSql.Alias,
            fromSql.Table!,
            $$"""
            SELECT {{alias}}.* FROM (
            {{fromSql.Sql.TrimEnd([' ', '\t', '\r', '\n', ';'])}}
            ) AS {{alias}}
            WHERE {{alias}}.{{Delimit(column.Name)}} = {{{position}}}
            """,
            WithTenant(fromSql.Arguments as QueryParameterExpression, position, parameter.InvariantName, tenant));
    }

    private string Delimit(string identifier)
        => sqlGenerationHelper.DelimitIdentifier(identifier).Replace("{", "{{").Replace("}", "}}");

    private QueryParameterExpression WithTenant(QueryParameterExpression? arguments, int position, string parameter, IProperty tenant)
        => queryCompilationContext.RegisterRuntimeParameter(
            ParameterName,
            Expression.Lambda(
                Expression.Call(
                    typeof(FromSqlFilter),
                    nameof(ArgumentsWithTenant),
                    null,
                    QueryCompilationContext.QueryContextParameter,
                    Expression.Constant(arguments?.Name, typeof(string)),
                    Expression.Constant(position),
                    Expression.Constant(parameter),
                    Expression.Constant(tenant, typeof(IProperty))),
                QueryCompilationContext.QueryContextParameter));

    // Called by queries that were precompiled, too.
    public static object?[] ArgumentsWithTenant(QueryContext queryContext, string? arguments, int position, string parameter, IProperty tenant)
    {
        var values = arguments is null ? [] : (object?[])queryContext.Parameters[arguments]!;
        if (values.Length < position)
        {
            return values;
        }

        // Of the column's type, which EF does not see in an argument.
        using var command = new NpgsqlCommand();
        var argument = tenant.GetRelationalTypeMapping().CreateParameter(command, parameter, queryContext.Parameters[parameter]);
        return [.. values[..position], argument, .. values[position..]];
    }

    private static SelectExpression WithoutPredicate(SelectExpression select, IReadOnlyList<TableExpressionBase> tables)
        => select.Update(
            tables, null, select.GroupBy, select.Having, select.Projection, select.Orderings, select.Offset, select.Limit);

    private static IProperty? TenantOf(ITableBase table, string column)
        => table.FindColumn(column)?.PropertyMappings
            .Select(m => m.Property)
            .FirstOrDefault(p => p.DeclaringType is IEntityType entityType && entityType.FindTenantProperty() == p);

    [GeneratedRegex(@"^(?>\s|--.*\n|/\*[\s\S]*?\*/|\()*(?:SELECT|WITH|VALUES|TABLE)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Composable { get; }
}
