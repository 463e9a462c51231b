using System.Data.Common;
using System.Text.RegularExpressions;
using EfTenancy;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Microsoft.EntityFrameworkCore.TestUtilities;

/// <summary>What an application's author writes into SQL of the application for its tenants; nothing without tenancy.</summary>
public static class TenantSql
{
    private const string Column = $"\"{SpecificationTenancy.Column}\"";

    /// <summary>One more column of a select list.</summary>
    public static string AndColumn => SpecificationTenancy.IsOn ? $", {Column}" : "";

    /// <summary>The same where there is no table to take it from.</summary>
    public static string AndDefault => SpecificationTenancy.IsOn ? $", '{TenancyDefaults.DefaultTenantId}' AS {Column}" : "";

    /// <summary>One more column of a table.</summary>
    public static string AndColumnDefinition => SpecificationTenancy.IsOn ? $", {Column} text" : "";

    /// <summary>Maps an entity to SQL that names its columns, among them the tenant's.</summary>
    public static EntityTypeBuilder<TEntity> ToSqlQueryWithTenant<TEntity>(this EntityTypeBuilder<TEntity> builder, string sql)
        where TEntity : class
        => builder.ToSqlQuery(sql.Replace(" FROM ", $"{AndColumn} FROM ", StringComparison.Ordinal));

    /// <summary>Reads rows of an entity by SQL: with tenancy in the way that keeps its filter.</summary>
    public static IQueryable<TEntity> FromSqlOrSqlQueryRaw<TEntity>(this DbContext context, string sql)
        where TEntity : class
        => SpecificationTenancy.IsOn ? context.Set<TEntity>().FromSqlRaw(sql) : context.Database.SqlQueryRaw<TEntity>(sql);

    /// <summary>Hands a command's parameters to one that takes its place.</summary>
    public static void CopyParameters(DbCommand from, DbCommand to)
    {
        foreach (ICloneable parameter in from.Parameters)
        {
            to.Parameters.Add(parameter.Clone());
        }
    }

    /// <summary>Tells a stored procedure the tenant, in its first parameter.</summary>
    public static StoredProcedureBuilder<TEntity> HasTenantParameter<TEntity>(this StoredProcedureBuilder<TEntity> builder)
        where TEntity : class
    {
        if (!SpecificationTenancy.IsOn)
        {
            return builder;
        }

        var inserts = builder.Metadata.EntityType.GetInsertStoredProcedure() == builder.Metadata;
        return inserts
            ? builder.HasParameter(SpecificationTenancy.Column)
            : builder.HasOriginalValueParameter(SpecificationTenancy.Column);
    }

    /// <summary>Creates functions that return the tenant of their rows, and procedures that are told it in their first parameter.</summary>
    public static Task<int> CreateRoutinesAsync(this DatabaseFacade database, string sql)
        => database.ExecuteSqlRawAsync(
            SpecificationTenancy.IsOn
                ? string.Concat(Regex.Split(sql, "(?=CREATE (?:FUNCTION|PROCEDURE))").Select(WithTenant))
                : sql);

    private static string WithTenant(string routine)
        => routine.StartsWith("CREATE PROCEDURE", StringComparison.Ordinal) ? ProcedureWithTenant(routine)
            : routine.Contains("RETURNS TABLE", StringComparison.Ordinal) ? FunctionWithTenant(routine)
            : routine;

    private static string ProcedureWithTenant(string procedure)
    {
        procedure = Regex.Replace(procedure, """(?<=CREATE PROCEDURE "\w+"\()""", "tenant text, ");
        procedure = Regex.Replace(procedure, """(?<=INSERT INTO "\w+" \()""", $"{Column}, ");
        procedure = procedure.Replace("VALUES (", "VALUES (tenant, ", StringComparison.Ordinal);
        return procedure.Replace("WHERE ", $"WHERE {Column} = tenant AND ", StringComparison.Ordinal);
    }

    private static string FunctionWithTenant(string function)
    {
        var from = Regex.Match(function, """\n *FROM ("\w+")(?: AS (\w+))?""");
        var tenant = $"{from.Groups[from.Groups[2].Success ? 2 : 1]}.{Column}";

        function = Regex.Replace(function, @"(?<=RETURNS TABLE \()", $"{Column} text, ");
        function = Regex.Replace(function, "(?<=SELECT |GROUP BY )", $"{tenant}, ");
        return Regex.Replace(function, """(JOIN "\w+" (\w+) ON )""", $"$1$2.{Column} = {tenant} AND ");
    }
}
