using System.Data.Common;
using EfTenancy;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.EntityFrameworkCore.TestUtilities;

/// <summary>What the tests' sources are edited to call: tenancy where the environment asks for it, nothing otherwise.</summary>
public static class SpecificationTenancy
{
    // A name that no model of the tests has.
    private const string Column = "SpecTenantId";

    /// <summary>Whether the tests run with tenancy.</summary>
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("SPEC_TENANCY") == "1";

    /// <summary>What code that the tests generate and compile needs to refer to.</summary>
    public static string Assembly => typeof(TenancyDefaults).Assembly.Location;

    /// <summary>Maps an entity to SQL that names its columns, among them the tenant's.</summary>
    public static EntityTypeBuilder<TEntity> ToSqlQueryWithTenant<TEntity>(this EntityTypeBuilder<TEntity> builder, string sql)
        where TEntity : class
        => builder.ToSqlQuery(IsOn ? sql.Replace(" FROM ", $", \"{Column}\" FROM ", StringComparison.Ordinal) : sql);

    /// <summary>Gives a context tenants: all entities are multi-tenanted, and the tenant is always the same.</summary>
    public static TBuilder UseSpecificationTenancy<TBuilder>(this TBuilder builder)
        where TBuilder : DbContextOptionsBuilder
    {
        if (IsOn)
        {
            // The default tenant, since that is the one whose rows models hold (HasData).
            builder.UseTenancy(t => t
                .AllEntitiesAreMultiTenanted()
                .UseTenantProperty(Column)
                .UseTenantAccessor(_ => TenancyDefaults.DefaultTenantId));
        }

        return builder;
    }

    /// <summary>The same for contexts with a service provider of their own.</summary>
    public static IServiceCollection AddSpecificationTenancy(this IServiceCollection services)
        => IsOn ? services.AddEntityFrameworkTenancy() : services;

    /// <summary>Gives the tables of a script, which EF did not make, what they would have from EF.</summary>
    public static void AddTenantColumns(DbConnection connection)
    {
        if (!IsOn)
        {
            return;
        }

        using var command = connection.CreateCommand();
        command.CommandText = "SELECT spec_add_tenant_columns()";
        command.ExecuteNonQuery();
    }
}
