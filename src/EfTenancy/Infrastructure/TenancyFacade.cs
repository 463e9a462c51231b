using EfTenancy.Administration;
using EfTenancy.Administration.Internal;
using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Infrastructure;

/// <summary>The tenancy of one context, from <c>db.Tenancy()</c>.</summary>
public sealed class TenancyFacade
{
    private readonly DbContext _context;
    private readonly CurrentTenant _tenant;
    private readonly DbContextId _lease;

    internal TenancyFacade(DbContext context)
    {
        _context = context;
        _lease = context.ContextId;
        // Not the state manager's: it needs the model, and a model's cache key may ask for the tenant.
        _tenant = Configured(context, context.GetInfrastructure().GetService<CurrentTenant>());
    }

    internal DbContext Context
    {
        get
        {
            RefuseEarlierLease();
            return _context;
        }
    }

    internal CurrentTenant Tenant
    {
        get
        {
            RefuseEarlierLease();
            return _tenant;
        }
    }

    /// <summary>
    ///     Adds, pauses and removes tenants in the database of this context, with the default <see cref="TenantAdministrationOptions" />.
    ///     An application gets <see cref="ITenantAdministration{TContext}" /> from its services instead.
    /// </summary>
    /// <exception cref="InvalidOperationException">Tenants have databases or schemas of their own, which one context does not reach.</exception>
    public ITenantAdministration Administration
        => Tenant.Place is not null
            ? throw new InvalidOperationException(TenancyStrings.AdministrationOfPlaces(Context.GetType().Name))
            : new ObservedTenantAdministration(new TenantAdministrator(Context, new TenantAdministrationOptions()));

    /// <summary>
    ///     The tenant that the context works for: the explicit one, else the application's
    ///     (<c>UseTenantAccessor</c> or <see cref="ITenantAccessor" />), else <see cref="TenancyDefaults.DefaultTenantId" />. Reading
    ///     it counts as first use: afterwards the context keeps it.
    /// </summary>
    /// <exception cref="DefaultTenantUsageDisabledException">No tenant is named and the default one is disabled.</exception>
    /// <exception cref="InvalidOperationException">The context reads several tenants, by <see cref="Use(IEnumerable{string})" />.</exception>
    public string TenantId
        => Tenant.TenantId;

    /// <summary>The tenants whose rows the context reads: its <see cref="TenantId" />, or those of <see cref="Use(IEnumerable{string})" />.</summary>
    /// <exception cref="DefaultTenantUsageDisabledException">No tenant is named and the default one is disabled.</exception>
    public IReadOnlyList<string> TenantIds
        => Tenant.TenantIds;

    /// <summary>
    ///     Makes the context work for this tenant, whatever the <see cref="ITenantAccessor" /> says. A pooled context forgets
    ///     it when it is returned. Where tenants have databases or schemas of their own, the first use of the context asks for the
    ///     tenant's, and throws <see cref="UnknownTenantException" /> or <see cref="TenantDisabledException" />.
    /// </summary>
    /// <param name="tenantId">The tenant's id.</param>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, holds control characters, or does not fit the type of the model's tenant properties.</exception>
    /// <exception cref="InvalidOperationException">The context tracks entities and worked for another tenant so far.</exception>
    public void Use(string tenantId)
        => Use(Context, Tenant, tenantId);

    /// <summary>The same without a facade: each lease of a pooled context comes by here.</summary>
    internal static void Use(DbContext context, string tenantId)
        => Use(context, Configured(context, CurrentTenant.OfRunning(context)), tenantId);

    private static void Use(DbContext context, CurrentTenant tenant, string tenantId)
    {
        tenantId = tenant.Normalize(tenantId, nameof(tenantId));

        // Not each lease of a pooled context.
        if (tenant.IsChosen)
        {
            RefuseChangeWhileTracking(context, tenant, tenantId);
        }

        tenant.Use(tenantId);
    }

    /// <summary>As <see cref="Use(string)" />, but it asks where the tenant is at once, without blocking a thread.</summary>
    /// <param name="tenantId">The tenant's id.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <inheritdoc cref="Use(string)" path="/exception" />
    /// <exception cref="UnknownTenantException">Tenants have databases or schemas of their own, and nobody knows this one.</exception>
    /// <exception cref="TenantDisabledException">The tenant is disabled.</exception>
    public async Task UseAsync(string tenantId, CancellationToken cancellationToken = default)
    {
        await PrepareAsync(Tenant, tenantId, cancellationToken).ConfigureAwait(false);

        // Meanwhile the context may have been returned to its pool, and leased again.
        Use(tenantId);
    }

    internal static async ValueTask UseAsync(DbContext context, string tenantId, CancellationToken cancellationToken)
    {
        var tenant = Configured(context, CurrentTenant.OfRunning(context));
        await PrepareAsync(tenant, tenantId, cancellationToken).ConfigureAwait(false);
        Use(context, tenant, tenantId);
    }

    private static ValueTask PrepareAsync(CurrentTenant tenant, string tenantId, CancellationToken cancellationToken)
        => tenant.Place is { } place ? place.PrepareAsync(tenant.Normalize(tenantId, nameof(tenantId)), cancellationToken) : default;

    private static CurrentTenant Configured(DbContext context, CurrentTenant? tenant)
        => tenant is { IsConfigured: true }
            ? tenant
            : throw new InvalidOperationException(TenancyStrings.TenancyNotConfigured(context.GetType().Name));

    /// <summary>
    ///     Makes the context read the rows of several tenants, as one of a group of companies that looks at all of them. It belongs to
    ///     none of them: writing, and <c>Find</c> without the tenant, need <see cref="ForTenant" />. A pooled context forgets it when
    ///     it is returned.
    /// </summary>
    /// <param name="tenantIds">The tenants' ids, at least one.</param>
    /// <exception cref="ArgumentException">
    ///     There is no id, or one is empty, blank, too long, holds control characters, or does not fit the type of the model's tenant
    ///     properties.
    /// </exception>
    /// <exception cref="InvalidOperationException">The context tracks entities and worked for others so far.</exception>
    public void Use(IEnumerable<string> tenantIds)
    {
        ArgumentNullException.ThrowIfNull(tenantIds);

        var group = tenantIds.Select(t => Tenant.Normalize(t, nameof(tenantIds))).Distinct().Order(StringComparer.Ordinal).ToArray();
        if (group.Length == 0)
        {
            throw new ArgumentException(TenancyStrings.TenantGroupIsEmpty, nameof(tenantIds));
        }

        RefuseChangeWhileTracking(Context, Tenant, group);
        Tenant.Use(group);
    }

    private static void RefuseChangeWhileTracking(DbContext context, CurrentTenant tenant, params ReadOnlySpan<string> tenantIds)
    {
#pragma warning disable EF1001 // ChangeTracker.Entries() would detect changes and box an entry for each row just to count them.
        if (tenant.WorkedForOthers(tenantIds) && context.GetService<IStateManager>().Entries.Any())
#pragma warning restore EF1001
        {
            throw new InvalidOperationException(
                TenancyStrings.TenantChangedWhileTracking(string.Join(", ", tenant.PinnedTenantIds), string.Join(", ", tenantIds!)));
        }
    }

    /// <summary>
    ///     Work for another tenant inside the same unit of work: one <c>SaveChanges</c> and one transaction write both. As Marten's
    ///     <c>ForTenant</c>. The tenant stays open for writing until the context is disposed or returned to its pool.
    /// </summary>
    /// <param name="tenantId">The other tenant's id.</param>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    public TenantOperations ForTenant(string tenantId)
    {
        tenantId = Tenant.Normalize(tenantId, nameof(tenantId));

        Tenant.Open(tenantId);
        return new TenantOperations(this, tenantId);
    }

    /// <summary>
    ///     Until the result is disposed, queries of this context see the rows of all tenants and saves write them. Never what an unset
    ///     tenant means: it must be entered, with a reason, which is logged. New entities still belong to the tenant of the context.
    /// </summary>
    /// <param name="reason">Why, for the log.</param>
    /// <returns>The scope; dispose it to leave. Scopes may be nested.</returns>
    /// <exception cref="ArgumentException">The reason is blank.</exception>
    /// <remarks>
    ///     A query compiled with <c>EF.CompileQuery</c> keeps what it saw at its first run: compiled inside a scope it refuses to run
    ///     outside of one; compiled outside, it goes on reading the rows of the context's tenant.
    /// </remarks>
    public IDisposable AcrossTenants(string reason)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            throw new ArgumentException(TenancyStrings.ReasonIsBlank, nameof(reason));
        }

        Context.GetService<IDiagnosticsLogger<DbLoggerCategory.Infrastructure>>().AcrossTenantsEntered(Context, reason);
        return Tenant.EnterAcrossTenants();
    }

    /// <summary>The tenant that an entity's row belongs to, as this context tracks it or would track it.</summary>
    /// <param name="entity">An entity of a multi-tenanted type.</param>
    /// <returns>The tenant's id.</returns>
    /// <exception cref="InvalidOperationException">The entity's type is not in the model or is single-tenanted.</exception>
    public string TenantOf(object entity)
    {
        ArgumentNullException.ThrowIfNull(entity);

        var entry = Context.Entry(entity);
#pragma warning disable EF1001 // What is in JSON is of its row's tenant.
        var row = RowOfJson.Find(entry.GetInfrastructure())?.ToEntityEntry() ?? entry;
#pragma warning restore EF1001
        var property = row.Metadata.FindTenantProperty()
            ?? throw new InvalidOperationException(TenancyStrings.EntityIsNotMultiTenanted(row.Metadata.DisplayName()));

        return Tenant.IdConverter.ToTenantIdOf(row.Property(property).CurrentValue)!;
    }

    // The context refuses this itself as long as it lies in its pool; leased again, it works for somebody else.
    private void RefuseEarlierLease()
    {
        _ = _context.GetInfrastructure();
        if (_context.ContextId != _lease)
        {
            throw new ObjectDisposedException(_context.GetType().Name, TenancyStrings.LeaseIsOver);
        }
    }
}
