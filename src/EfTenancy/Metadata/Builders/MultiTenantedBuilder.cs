using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Metadata.Builders;

/// <summary>The choices of <c>IsMultiTenanted(...)</c> for the rows of one entity.</summary>
public class MultiTenantedBuilder
{
    private readonly IMutableEntityType _entityType;

    internal MultiTenantedBuilder(IMutableEntityType entityType)
        => _entityType = entityType;

    /// <summary>
    ///     Every tenant reads the rows of the default tenant, <see cref="TenancyDefaults.DefaultTenantId" />, beside its own, and writes only
    ///     its own. Off by default. As Chroma's shared documents; rows of <c>HasData</c> belong to the default tenant, so they are shared.
    /// </summary>
    /// <remarks>
    ///     Foreign keys hold the tenant, so a tenant's row cannot reference a shared one. Shared rows are written by a context of the
    ///     default tenant, or with <c>db.Tenancy().ForTenant(TenancyDefaults.DefaultTenantId)</c>. Of a hierarchy, its base asks for them;
    ///     a derived type that does so alone is refused when the model is built.
    /// </remarks>
    public virtual MultiTenantedBuilder WithSharedRows()
    {
        _entityType.SetHasSharedRows(true);
        return this;
    }
}
