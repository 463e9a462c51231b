using System.Text.RegularExpressions;
using EfTenancy;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Microsoft.EntityFrameworkCore.TestUtilities;

/// <summary>Takes the tenant, and nothing else, out of what a test compares. Without tenancy there is none in it.</summary>
public static class TenantExpectations
{
    private const string Column = $"\"{SpecificationTenancy.Column}\"";
    private const string Tenant = "'\\*DEFAULT\\*'";
    private const string Parameter = "@ef_filter__Tenancy";

    private static readonly string[] _inText =
    [
        // Key values.
        $@"{SpecificationTenancy.Column}: \*DEFAULT\*, ",

        // A query, with its filter.
        $@"\.Where\(\w+ => EF\.Property<string>\(\w+, {Column}\) == {Parameter}\)\s*",
        $@" && EF\.Property<string>\(\w+, {Column}\) == {Parameter}",

        // Its SQL.
        $@"{Parameter}={Tenant}\r?\n",
        $@"\w+\.{Column}, ",
        $@"\w+\.{Column} = {Parameter} AND "
    ];

    /// <summary>A message, or SQL, without the tenant's value of keys and without its filter.</summary>
    public static string WithoutTenant(this string text)
        => _inText.Aggregate(text, (t, pattern) => Regex.Replace(t, pattern, ""));

    /// <summary>A command, or the list of its parameters, without the one that is the tenant: later ones count from one less.</summary>
    public static string WithoutTenantParameter(this string command)
    {
        var tenant = Regex.Match(command, $@"@p(\d+)={Tenant}.*\r?\n");
        if (!tenant.Success)
        {
            return command;
        }

        var number = int.Parse(tenant.Groups[1].Value);
        command = command.Remove(tenant.Index, tenant.Length);
        command = Regex.Replace(command, $@"@p{number}, ", "");
        return Regex.Replace(command, @"(?<=@p)\d+", p => int.Parse(p.Value) is var n && n > number ? $"{n - 1}" : p.Value);
    }

    /// <summary>Properties without the tenant's.</summary>
    public static IEnumerable<TProperty> WithoutTenant<TProperty>(this IEnumerable<TProperty> properties)
        where TProperty : IReadOnlyPropertyBase
        => properties.Where(p => p.Name != SpecificationTenancy.Column);
}
