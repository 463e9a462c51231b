using EfTenancy;
using EfTenancy.Infrastructure;
using EfTenancy.Infrastructure.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>The entry point of EfTenancy.</summary>
public static class TenancyDbContextOptionsBuilderExtensions
{
    /// <summary>
    ///     Gives the context tenants. Bare, it is complete: entities opt in with <c>IsMultiTenanted()</c> or
    ///     <see cref="MultiTenantedAttribute" />, as in Marten. Works before or after <c>UseNpgsql</c>, in
    ///     <c>AddDbContext</c> and its relatives and in <c>OnConfiguring</c>.
    /// </summary>
    /// <param name="optionsBuilder">The options of the context.</param>
    /// <param name="tenancy">Policies and settings; none by default.</param>
    /// <returns>The same builder, so that calls can be chained.</returns>
    public static DbContextOptionsBuilder UseTenancy(
        this DbContextOptionsBuilder optionsBuilder,
        Action<TenancyDbContextOptionsBuilder>? tenancy = null)
    {
        ArgumentNullException.ThrowIfNull(optionsBuilder);

        ((IDbContextOptionsBuilderInfrastructure)optionsBuilder).AddOrUpdateExtension(
            optionsBuilder.Options.FindExtension<TenancyOptionsExtension>() ?? new TenancyOptionsExtension());
        tenancy?.Invoke(new TenancyDbContextOptionsBuilder(optionsBuilder));

        return optionsBuilder;
    }

    /// <inheritdoc cref="UseTenancy(DbContextOptionsBuilder, Action{TenancyDbContextOptionsBuilder}?)" />
    /// <typeparam name="TContext">The type of the context.</typeparam>
    public static DbContextOptionsBuilder<TContext> UseTenancy<TContext>(
        this DbContextOptionsBuilder<TContext> optionsBuilder,
        Action<TenancyDbContextOptionsBuilder>? tenancy = null)
        where TContext : DbContext
        => (DbContextOptionsBuilder<TContext>)UseTenancy((DbContextOptionsBuilder)optionsBuilder, tenancy);
}
