using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfTenancy.Diagnostics;

/// <summary>
///     Ids of EfTenancy's events, for <c>ConfigureWarnings</c> and <c>LogTo</c>. Their range is 95000 to 95999; the numbers stay.
/// </summary>
public static class TenancyEventId
{
    // Explicit and append-only: logs are searched by them.
    private enum Id
    {
        TenantSet = 95000,
        DefaultTenantUsed = 95001,
        AcrossTenantsEntered = 95002,
        TenantsElsewhereNotRead = 95003,
        CrossTenantQuery = 95100,
        CrossTenantWriteRefused = 95200,
        UnknownTenantRefused = 95201,
        BulkInserted = 95202,
        ManyTenantPartitions = 95300,
        IndexNotCreatedConcurrently = 95301,
        NothingIsMultiTenanted = 95400,
    }

    /// <summary>
    ///     A context settled on its tenant. Category <see cref="DbLoggerCategory.Infrastructure" />, level
    ///     <see cref="LogLevel.Debug" />, payload <see cref="TenantEventData" />.
    /// </summary>
    public static readonly EventId TenantSet = Make<DbLoggerCategory.Infrastructure>(Id.TenantSet);

    /// <summary>
    ///     Nothing named a tenant, so a context works for the default one. Category
    ///     <see cref="DbLoggerCategory.Infrastructure" />, level <see cref="LogLevel.Debug" />, payload <see cref="TenantEventData" />.
    /// </summary>
    public static readonly EventId DefaultTenantUsed = Make<DbLoggerCategory.Infrastructure>(Id.DefaultTenantUsed);

    /// <summary>
    ///     A context entered <c>AcrossTenants</c>, with its reason. Category <see cref="DbLoggerCategory.Infrastructure" />, level
    ///     <see cref="LogLevel.Information" />, payload <see cref="AcrossTenantsEventData" />.
    /// </summary>
    public static readonly EventId AcrossTenantsEntered = Make<DbLoggerCategory.Infrastructure>(Id.AcrossTenantsEntered);

    /// <summary>
    ///     A query for all tenants (<c>AnyTenant</c>, <c>IgnoreQueryFilters</c>, <c>AcrossTenants</c>) ended at the database or schema of its
    ///     context, and there are tenants elsewhere; once for each context. Category <see cref="DbLoggerCategory.Infrastructure" />, level
    ///     <see cref="LogLevel.Warning" />, payload <see cref="DbContextEventData" />.
    /// </summary>
    public static readonly EventId TenantsElsewhereNotRead = Make<DbLoggerCategory.Infrastructure>(Id.TenantsElsewhereNotRead);

    /// <summary>
    ///     A query with <c>TenantIsOneOf</c> or <c>AnyTenant</c> was compiled; once for each query, not for each run. Category
    ///     <see cref="DbLoggerCategory.Query" />, level <see cref="LogLevel.Information" />, payload <see cref="DbContextEventData" />.
    /// </summary>
    public static readonly EventId CrossTenantQuery = Make<DbLoggerCategory.Query>(Id.CrossTenantQuery);

    /// <summary>
    ///     A save held a row of another tenant and was refused. Category <see cref="DbLoggerCategory.Update" />, level
    ///     <see cref="LogLevel.Error" />, payload <see cref="TenantEventData" /> with the row's tenant.
    /// </summary>
    public static readonly EventId CrossTenantWriteRefused = Make<DbLoggerCategory.Update>(Id.CrossTenantWriteRefused);

    /// <summary>
    ///     PostgreSQL had no partition for a row's tenant. Category <see cref="DbLoggerCategory.Update" />, level
    ///     <see cref="LogLevel.Error" />, payload <see cref="TenantEventData" /> with the row's tenant.
    /// </summary>
    public static readonly EventId UnknownTenantRefused = Make<DbLoggerCategory.Update>(Id.UnknownTenantRefused);

    /// <summary>
    ///     A bulk insert wrote its rows. Category <see cref="DbLoggerCategory.Update" />, level <see cref="LogLevel.Information" />,
    ///     payload <see cref="BulkInsertEventData" />.
    /// </summary>
    public static readonly EventId BulkInserted = Make<DbLoggerCategory.Update>(Id.BulkInserted);

    /// <summary>
    ///     Adding tenants gave a table more than 1,000 list partitions. Category <see cref="DbLoggerCategory.Infrastructure" />, level
    ///     <see cref="LogLevel.Warning" />, payload <see cref="DbContextEventData" />.
    /// </summary>
    public static readonly EventId ManyTenantPartitions = Make<DbLoggerCategory.Infrastructure>(Id.ManyTenantPartitions);

    /// <summary>
    ///     A migration creates an index with <c>IsCreatedConcurrently()</c> on a partitioned table that was there before, where PostgreSQL cannot:
    ///     writers wait meanwhile. Category <see cref="DbLoggerCategory.Migrations" />, level <see cref="LogLevel.Warning" />, payload
    ///     <see cref="DbContextEventData" />.
    /// </summary>
    public static readonly EventId IndexNotCreatedConcurrently = Make<DbLoggerCategory.Migrations>(Id.IndexNotCreatedConcurrently);

    /// <summary>
    ///     <c>UseTenancy</c> was called and isolates nothing: no entity is multi-tenanted, none was said to be single-tenanted, and tenants have no
    ///     databases or schemas. When the model is built. Category <see cref="DbLoggerCategory.Model.Validation" />, level
    ///     <see cref="LogLevel.Warning" />, payload <see cref="EventData" />.
    /// </summary>
    public static readonly EventId NothingIsMultiTenanted = Make<DbLoggerCategory.Model.Validation>(Id.NothingIsMultiTenanted);

    private static EventId Make<TCategory>(Id id)
        where TCategory : LoggerCategory<TCategory>, new()
        => new((int)id, LoggerCategory<TCategory>.Name + "." + id);
}
