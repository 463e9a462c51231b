using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Builders;
using EfTenancy.Properties;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Infrastructure;

/// <summary>The settings of <c>UseTenancy(...)</c>.</summary>
public class TenancyDbContextOptionsBuilder
{
    private readonly DbContextOptionsBuilder _optionsBuilder;

    /// <summary>Creates the builder; <c>UseTenancy(...)</c> does.</summary>
    /// <param name="optionsBuilder">The options of the context.</param>
    public TenancyDbContextOptionsBuilder(DbContextOptionsBuilder optionsBuilder)
    {
        ArgumentNullException.ThrowIfNull(optionsBuilder);

        _optionsBuilder = optionsBuilder;
    }

    /// <summary>
    ///     Policy: the rows of every entity belong to tenants, unless an attribute or a fluent call says otherwise. Off by
    ///     default: entities opt in. As Marten's <c>AllDocumentsAreMultiTenanted</c>.
    /// </summary>
    public virtual TenancyDbContextOptionsBuilder AllEntitiesAreMultiTenanted()
        => With(e => e.WithAllEntitiesMultiTenanted());

    /// <summary>
    ///     Policy: the tables of multi-tenanted entities are partitioned by tenant, unless <c>IsPartitionedByTenant(...)</c>,
    ///     <c>DoNotPartition()</c> or its attribute says otherwise. Off by default. As Marten's
    ///     <c>PartitionMultiTenantedDocuments</c>.
    /// </summary>
    /// <param name="partitioning">Chooses the strategy. A mistake in it is reported when the model is built.</param>
    /// <exception cref="InvalidOperationException">No strategy was chosen.</exception>
    public virtual TenancyDbContextOptionsBuilder PartitionMultiTenantedEntities(Action<TenantPartitioningBuilder> partitioning)
    {
        var built = TenantPartitioningBuilder.Build(partitioning)
            ?? throw new InvalidOperationException(TenancyStrings.PartitioningNotChosen(nameof(PartitionMultiTenantedEntities)));
        return With(e => e.WithPartitioning(built));
    }

    /// <summary>
    ///     Policy: the tables of multi-tenanted entities are partitioned by list, and each tenant of a registry in the database has a
    ///     partition in each of them, unless <c>IsPartitionedByTenant(...)</c>, <c>DoNotPartition()</c> or its attribute says otherwise.
    ///     Tenants come and go at run time through <see cref="EfTenancy.Administration.ITenantAdministration" />; also the default
    ///     tenant must be added. As Marten's <c>PartitionMultiTenantedDocumentsUsingMartenManagement</c>.
    /// </summary>
    /// <param name="schema">
    ///     The schema of the registry, the table <c>tenant_partitions</c>. A migration creates both. There is no default.
    /// </param>
    /// <exception cref="ArgumentException">The schema is blank.</exception>
    public virtual TenancyDbContextOptionsBuilder PartitionMultiTenantedEntitiesManaged(string schema)
        => PartitionMultiTenantedEntities(x => x.ByManagedListPartitions(schema));

    /// <summary>
    ///     What happens to the case of tenant ids wherever they come in: <see cref="TenantIdStyle.CaseSensitive" /> by default. As
    ///     Marten's <c>TenantIdStyle</c>.
    /// </summary>
    /// <param name="style">The style.</param>
    public virtual TenancyDbContextOptionsBuilder UseTenantIdStyle(TenantIdStyle style)
        => With(e => e.WithTenantIdStyle(style));

    /// <summary>
    ///     The name of the tenant property, and through EF's usual rules of its column, and the length of tenant ids. An entity with a
    ///     property of that name uses it; the others get a shadow property.
    /// </summary>
    /// <param name="name">The name; <see cref="TenancyDefaults.TenantPropertyName" /> by default.</param>
    /// <param name="maxLength">
    ///     The longest tenant id in UTF-16 code units, and the length of the column: from 9, which the default tenant needs, to
    ///     <see cref="TenancyDefaults.MaxTenantIdLength" />. By default that is the longest id, and the column is <c>text</c>.
    /// </param>
    /// <exception cref="ArgumentException">The name is blank.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length is out of range.</exception>
    public virtual TenancyDbContextOptionsBuilder UseTenantProperty(
        string name = TenancyDefaults.TenantPropertyName,
        int? maxLength = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength ?? int.MaxValue, TenancyDefaults.DefaultTenantId.Length, nameof(maxLength));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxLength ?? 0, TenancyDefaults.MaxTenantIdLength, nameof(maxLength));

        return With(e => e.WithTenantProperty(name, maxLength, type: null));
    }

    /// <summary>
    ///     The type of the tenant property where entities have none of their own, for tenants that are not named by strings. Without it,
    ///     shadow properties take the type of the entities' own ones. Ids stay strings in the API; a <see cref="Guid" /> is one as
    ///     <c>"D"</c>. The default tenant is the zero of the type.
    /// </summary>
    /// <typeparam name="TTenantId">
    ///     <see cref="string" />, <see cref="Guid" />, <see cref="int" />, <see cref="long" />, or a type that has a value converter to
    ///     one of these, <c>configurationBuilder.Properties&lt;TTenantId&gt;().HaveConversion(…)</c>.
    /// </typeparam>
    /// <param name="name">The name; <see cref="TenancyDefaults.TenantPropertyName" /> by default.</param>
    /// <exception cref="ArgumentException">The name is blank.</exception>
    public virtual TenancyDbContextOptionsBuilder UseTenantProperty<TTenantId>(string name = TenancyDefaults.TenantPropertyName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);

        return With(e => e.WithTenantProperty(name, e.TenantColumnLength, typeof(TTenantId)));
    }

    /// <summary>
    ///     Where the tenant stands in the keys of multi-tenanted entities: <see cref="TenantKeyStyle.TenantThenId" /> by default. As
    ///     Marten's <c>PrimaryKeyTenancyOrdering</c>.
    /// </summary>
    /// <param name="style">The style.</param>
    public virtual TenancyDbContextOptionsBuilder UseTenantKeyStyle(TenantKeyStyle style)
        => With(e => e.WithTenantKeyStyle(style));

    /// <summary>
    ///     Work without a tenant throws <see cref="DefaultTenantUsageDisabledException" /> instead of using
    ///     <see cref="TenancyDefaults.DefaultTenantId" />. The default tenant is enabled by default, as in Marten.
    /// </summary>
    public virtual TenancyDbContextOptionsBuilder DisableDefaultTenant()
        => With(e => e.WithDefaultTenantDisabled());

    /// <summary>
    ///     Asks this function for the tenant, instead of the registered <see cref="ITenantAccessor" />, once for each context
    ///     at first use. Null or an empty string mean <em>unset</em>.
    /// </summary>
    /// <param name="tenantId">Gets the services of the application (root services for pooled contexts) and gives the tenant's id.</param>
    public virtual TenancyDbContextOptionsBuilder UseTenantAccessor(Func<IServiceProvider, string?> tenantId)
    {
        ArgumentNullException.ThrowIfNull(tenantId);

        return With(e => e.WithTenantAccessor(tenantId));
    }

    /// <summary>
    ///     Tenants have databases or schemas of their own, or shards, as these say: a context connects to its tenant's. The connection string
    ///     of <c>UseNpgsql(...)</c> is not used then, and the default tenant is disabled. Not called by default: all tenants are in the
    ///     database of the context. As Marten's multi-tenancy with database per tenant.
    /// </summary>
    /// <param name="databases">Where tenants are; from <c>AddTenantDatabases(...)</c> or <see cref="TenantDatabases.Create" />.</param>
    public virtual TenancyDbContextOptionsBuilder UseTenantDatabases(TenantDatabases databases)
    {
        ArgumentNullException.ThrowIfNull(databases);

        return With(e => e.WithDatabases(databases));
    }

    /// <summary>
    ///     Looks, when a tenant's database or schema is first opened by this process, whether it has exactly the application's migrations, and
    ///     throws a <see cref="TenantDatabaseException" /> where it has not, instead of letting some query fail. Off by default. Only with
    ///     <see cref="UseTenantDatabases" />; such a context does not migrate itself, <c>MigrateTenantsAsync</c> does.
    /// </summary>
    public virtual TenancyDbContextOptionsBuilder RefusePendingMigrations()
        => With(e => e.WithPendingMigrationsRefused());

    private TenancyDbContextOptionsBuilder With(Func<TenancyOptionsExtension, TenancyOptionsExtension> change)
    {
        ((IDbContextOptionsBuilderInfrastructure)_optionsBuilder).AddOrUpdateExtension(
            change(_optionsBuilder.Options.FindExtension<TenancyOptionsExtension>() ?? new TenancyOptionsExtension()));

        return this;
    }
}
