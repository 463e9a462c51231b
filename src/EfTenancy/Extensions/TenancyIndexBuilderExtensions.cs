using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Tenancy of indexes in <c>OnModelCreating</c>.</summary>
public static class TenancyIndexBuilderExtensions
{
    /// <summary>
    ///     Leaves a unique index of a multi-tenanted entity as it is: unique over all tenants. By default a unique index gets
    ///     the tenant in front and is unique within each tenant. Refused when the model is built on a partitioned table, where
    ///     PostgreSQL has no such index (Marten silently narrows it there). Marten's <c>TenancyScope.Global</c>.
    /// </summary>
    /// <param name="indexBuilder">The index.</param>
    public static IndexBuilder IsGlobal(this IndexBuilder indexBuilder)
    {
        ArgumentNullException.ThrowIfNull(indexBuilder);

        indexBuilder.Metadata.SetIsGlobal(true);
        return indexBuilder;
    }

    /// <inheritdoc cref="IsGlobal(IndexBuilder)" />
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    public static IndexBuilder<TEntity> IsGlobal<TEntity>(this IndexBuilder<TEntity> indexBuilder)
        => (IndexBuilder<TEntity>)IsGlobal((IndexBuilder)indexBuilder);
}
