using EfTenancy;
using EfTenancy.Metadata.Builders;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Tenancy in <c>OnModelCreating</c>. A call here beats attributes, and attributes beat the policies of <c>UseTenancy</c>.</summary>
public static class TenancyEntityTypeBuilderExtensions
{
    /// <summary>
    ///     Rows of this entity belong to a tenant: it gets a tenant property (its own <c>TenantId</c> if it has one, else a
    ///     shadow one), keys, foreign keys and unique indexes that lead with it, and the named query filter. As Marten's
    ///     <c>MultiTenanted()</c>. A hierarchy follows its root, an owned type its owner.
    /// </summary>
    /// <param name="entityTypeBuilder">The entity.</param>
    public static EntityTypeBuilder IsMultiTenanted(this EntityTypeBuilder entityTypeBuilder)
        => Set(entityTypeBuilder, e => e.SetIsMultiTenanted(true));

    /// <inheritdoc cref="IsMultiTenanted(EntityTypeBuilder)" />
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    public static EntityTypeBuilder<TEntity> IsMultiTenanted<TEntity>(this EntityTypeBuilder<TEntity> entityTypeBuilder)
        where TEntity : class
        => (EntityTypeBuilder<TEntity>)IsMultiTenanted((EntityTypeBuilder)entityTypeBuilder);

    /// <summary>As <see cref="IsMultiTenanted(EntityTypeBuilder)" />, with choices for its rows.</summary>
    /// <param name="entityTypeBuilder">The entity.</param>
    /// <param name="multiTenanted">Makes the choices.</param>
    public static EntityTypeBuilder IsMultiTenanted(
        this EntityTypeBuilder entityTypeBuilder,
        Action<MultiTenantedBuilder> multiTenanted)
    {
        ArgumentNullException.ThrowIfNull(multiTenanted);

        return Set(
            entityTypeBuilder,
            e =>
            {
                e.SetIsMultiTenanted(true);
                multiTenanted(new MultiTenantedBuilder(e));
            });
    }

    /// <inheritdoc cref="IsMultiTenanted(EntityTypeBuilder, Action{MultiTenantedBuilder})" />
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    public static EntityTypeBuilder<TEntity> IsMultiTenanted<TEntity>(
        this EntityTypeBuilder<TEntity> entityTypeBuilder,
        Action<MultiTenantedBuilder> multiTenanted)
        where TEntity : class
        => (EntityTypeBuilder<TEntity>)IsMultiTenanted((EntityTypeBuilder)entityTypeBuilder, multiTenanted);

    /// <summary>Rows of this entity are global, the same for every tenant. The default without a policy. As Marten's <c>SingleTenanted()</c>.</summary>
    /// <param name="entityTypeBuilder">The entity.</param>
    public static EntityTypeBuilder IsSingleTenanted(this EntityTypeBuilder entityTypeBuilder)
        => Set(entityTypeBuilder, e => e.SetIsMultiTenanted(false));

    /// <inheritdoc cref="IsSingleTenanted(EntityTypeBuilder)" />
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    public static EntityTypeBuilder<TEntity> IsSingleTenanted<TEntity>(this EntityTypeBuilder<TEntity> entityTypeBuilder)
        where TEntity : class
        => (EntityTypeBuilder<TEntity>)IsSingleTenanted((EntityTypeBuilder)entityTypeBuilder);

    /// <summary>
    ///     Partitions the entity's table by tenant. Stronger than the policy <c>PartitionMultiTenantedEntities</c>. As Marten's
    ///     <c>MultiTenantedWithPartitioning</c>, but it does not make the entity multi-tenanted by itself.
    /// </summary>
    /// <param name="entityTypeBuilder">The entity.</param>
    /// <param name="partitioning">Chooses the strategy. A mistake in it is reported when the model is built.</param>
    /// <exception cref="InvalidOperationException">No strategy was chosen.</exception>
    public static EntityTypeBuilder IsPartitionedByTenant(
        this EntityTypeBuilder entityTypeBuilder,
        Action<TenantPartitioningBuilder> partitioning)
        => Set(
            entityTypeBuilder,
            e => e.SetTenantPartitioning(
                TenantPartitioningBuilder.Build(partitioning)
                ?? throw new InvalidOperationException(TenancyStrings.PartitioningNotChosen(e.DisplayName()))));

    /// <inheritdoc cref="IsPartitionedByTenant(EntityTypeBuilder, Action{TenantPartitioningBuilder})" />
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    public static EntityTypeBuilder<TEntity> IsPartitionedByTenant<TEntity>(
        this EntityTypeBuilder<TEntity> entityTypeBuilder,
        Action<TenantPartitioningBuilder> partitioning)
        where TEntity : class
        => (EntityTypeBuilder<TEntity>)IsPartitionedByTenant((EntityTypeBuilder)entityTypeBuilder, partitioning);

    /// <summary>Keeps the entity's table a plain table, whatever the policy says. As Marten's <c>DoNotPartition()</c>.</summary>
    /// <param name="entityTypeBuilder">The entity.</param>
    public static EntityTypeBuilder DoNotPartition(this EntityTypeBuilder entityTypeBuilder)
        => Set(entityTypeBuilder, e => e.SetTenantPartitioning(null));

    /// <inheritdoc cref="DoNotPartition(EntityTypeBuilder)" />
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    public static EntityTypeBuilder<TEntity> DoNotPartition<TEntity>(this EntityTypeBuilder<TEntity> entityTypeBuilder)
        where TEntity : class
        => (EntityTypeBuilder<TEntity>)DoNotPartition((EntityTypeBuilder)entityTypeBuilder);

    private static EntityTypeBuilder Set(EntityTypeBuilder entityTypeBuilder, Action<IMutableEntityType> set)
    {
        ArgumentNullException.ThrowIfNull(entityTypeBuilder);

        set(entityTypeBuilder.Metadata);
        return entityTypeBuilder;
    }
}
