using System.Data.Common;
using EfTenancy;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Internal;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.EntityFrameworkCore.TestUtilities;

/// <summary>What the tests' sources are edited to call: tenancy where the environment asks for it, nothing otherwise.</summary>
public static class SpecificationTenancy
{
    /// <summary>The tenant's property and column: a name that no model of the tests has.</summary>
    public const string Column = "SpecTenantId";

    private static readonly string? Mode = Environment.GetEnvironmentVariable("SPEC_TENANCY");

    /// <summary>Whether the tests run with tenancy.</summary>
    public static bool IsOn
        => Mode is not null;

    /// <summary>What code that the tests generate and compile needs to refer to.</summary>
    public static string Assembly => typeof(TenancyDefaults).Assembly.Location;

    /// <summary>Gives a context tenants: all entities are multi-tenanted, and the tenant is always the same.</summary>
    public static TBuilder UseSpecificationTenancy<TBuilder>(this TBuilder builder)
        where TBuilder : DbContextOptionsBuilder
    {
        if (IsOn)
        {
            // The default tenant, since that is the one whose rows models hold (HasData).
            builder.UseTenancy(t => t
                .AllEntitiesAreMultiTenanted()
                .UseTenantKeyStyle(Mode == "ids" ? TenantKeyStyle.IdOnly : TenantKeyStyle.TenantThenId)
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

    /// <summary>The values of an entity's shadow properties that a query would have read beside it.</summary>
    public static ISnapshot ShadowValues(IEntityType entityType)
    {
        if (!IsOn)
        {
            return Snapshot.Empty;
        }

        var values = ((IRuntimeTypeBase)entityType).EmptyShadowValuesFactory();
        values[entityType.FindProperty(Column)!.GetShadowIndex()] = TenancyDefaults.DefaultTenantId;
        return values;
    }
}
