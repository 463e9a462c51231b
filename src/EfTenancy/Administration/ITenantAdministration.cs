using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Administration;

/// <summary>
///     Tenants of a live database: they come, pause and go while the application works. From <c>db.Tenancy().Administration</c>, or as
///     <see cref="ITenantAdministration{TContext}" /> from the services after <c>AddTenantAdministration&lt;TContext&gt;()</c>.
/// </summary>
/// <remarks>
///     <para>
///         Every call may be repeated: what is done already is left alone, and a call that failed or was killed is finished by the same
///         call or by <see cref="RepairAsync" />. Calls use connections of their own, never the context's, take no part in its
///         transaction, and may run in several processes at once. Each table is changed in short transactions of its own, which give up
///         and try again rather than let the application wait for a lock.
///     </para>
///     <para>
///         They concern the tables of the database, not only those of the model: every table in the schemas of the model's
///         multi-tenanted entities that is partitioned by a list of tenants, except those that the model says are not managed, and for
///         the rows of a tenant every table whose primary key leads with the tenant's column.
///     </para>
/// </remarks>
#pragma warning disable CA1068 // The token comes before the progress, which is left out more often: AddAsync(ids, cancellationToken).
public interface ITenantAdministration
{
    /// <summary>
    ///     Registers tenants and creates their partitions, one for each tenant in each managed table. The suffixes are made from the
    ///     ids: the id where it is plain, a <see cref="Guid" /> without hyphens, else a readable stem and a hash. Tenants that are there
    ///     already stay as they are; half added ones are finished. As Marten's <c>AddMartenManagedTenantsAsync</c>.
    /// </summary>
    /// <param name="tenantIds">The tenants' ids, also <see cref="TenancyDefaults.DefaultTenantId" />.</param>
    /// <param name="cancellationToken">Cancels between two statements. What is done stays; the same call goes on.</param>
    /// <param name="progress">Is told of each table; nobody is by default.</param>
    /// <returns>
    ///     What was done in each table, and which tenants are new; nothing where the context has no managed partitions and all tenants are in one
    ///     database, since there they need not be added.
    /// </returns>
    /// <exception cref="ArgumentException">Ids or suffixes cannot be used, all of them in one message. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">A table would get too many partitions or locks. Nothing was changed.</exception>
    /// <exception cref="TenantAdministrationException">Tables failed; the others are done.</exception>
    /// <exception cref="Storage.TenantDatabaseException">
    ///     A database or schema that tenants have already is gone. No empty one was made; the message says what to do.
    /// </exception>
    Task<TenantAdministrationResult> AddAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);

    /// <summary>
    ///     As <see cref="AddAsync(IEnumerable{string}, CancellationToken, IProgress{TenantProgress})" />, with the suffixes given. Several
    ///     ids with one suffix share a partition (a <em>bucket</em>), which gets more tenants by the same call later.
    /// </summary>
    /// <param name="suffixes">The tenants' ids and, for each, the suffix of its partitions: letters, digits and underscores.</param>
    /// <param name="cancellationToken">Cancels between two statements. What is done stays; the same call goes on.</param>
    /// <param name="progress">Is told of each table; nobody is by default.</param>
    /// <returns>What was done in each table, and which tenants are new.</returns>
    /// <exception cref="ArgumentException">Ids or suffixes cannot be used, all of them in one message. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">A table would get too many partitions or locks. Nothing was changed.</exception>
    /// <exception cref="TenantAdministrationException">Tables failed; the others are done.</exception>
    /// <exception cref="Storage.TenantDatabaseException">
    ///     A database or schema that tenants have already is gone. No empty one was made; the message says what to do.
    /// </exception>
    Task<TenantAdministrationResult> AddAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);

    /// <summary>
    ///     Takes tenants out for good, rows and registration. A partition of its own is dropped, for which readers and writers of tables
    ///     with foreign keys wait a moment, and those of others do not; from a shared one its rows are deleted, and the co-tenants stay.
    ///     Rows in tables without managed partitions are deleted. New contexts refuse the tenant from the start of the call on. As
    ///     Marten's <c>RemoveMartenManagedTenantsAsync</c>, but with ids.
    /// </summary>
    /// <param name="tenantIds">The tenants' ids.</param>
    /// <param name="cancellationToken">Cancels between two statements. What is done stays; the same call goes on.</param>
    /// <param name="progress">Is told of each table; nobody is by default.</param>
    /// <returns>What was done in each table.</returns>
    /// <exception cref="ArgumentException">An id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="UnknownTenantException">A tenant is not registered. Nothing was changed.</exception>
    /// <exception cref="TenantAdministrationException">A table failed; those that come after it were not touched.</exception>
    /// <exception cref="Storage.TenantDatabaseException">
    ///     A newer version of the application has migrated, and rows of the tenant are in tables that this one does not know as tables of tenants. No
    ///     row was deleted.
    /// </exception>
    Task<TenantAdministrationResult> RemoveAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);

    /// <summary>
    ///     Gives tenants that share their partitions, or have rows in a DEFAULT partition, partitions of their own in all managed tables, with
    ///     suffixes made from the ids as <see cref="AddAsync(IEnumerable{string}, CancellationToken, IProgress{TenantProgress})" /> does, while
    ///     everybody reads and writes. Tenants that have their own already stay as they are.
    /// </summary>
    /// <remarks>
    ///     Each shared partition is written anew, a few megabytes at a time, beside itself: it needs its size once more on disk. Then one
    ///     transaction puts the new partitions in its place in all tables at once; readers and writers of these tables wait for it, as long as
    ///     PostgreSQL takes to check the foreign keys of the rows that moved. Partitions do not get or lose other tenants meanwhile.
    /// </remarks>
    /// <param name="tenantIds">The tenants' ids.</param>
    /// <param name="cancellationToken">Cancels between two statements. Nothing has changed then, unless all of it has.</param>
    /// <param name="progress">Is told of the parts of each table that are copied; nobody is by default.</param>
    /// <returns>The tables that had shared partitions, with the number of partitions that the tenants got in each.</returns>
    /// <exception cref="ArgumentException">Ids or suffixes cannot be used, all of them in one message. Nothing was changed.</exception>
    /// <exception cref="UnknownTenantException">A tenant is not registered. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">
    ///     The context has no managed partitions; or a shared partition cannot be written anew, has changed in another way meanwhile, or would
    ///     need too many locks. Nothing was changed.
    /// </exception>
    /// <exception cref="TimeoutException">Others held the locks of the tables for too long, or split partitions. Nothing was changed.</exception>
    /// <exception cref="TenantAdministrationException">Partitions that the tenants lacked besides could not be made; the split itself is done.</exception>
    Task<TenantAdministrationResult> SplitAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);

    /// <summary>
    ///     As <see cref="SplitAsync(IEnumerable{string}, CancellationToken, IProgress{TenantProgress})" />, with the suffixes given. Several ids
    ///     of one partition that get one suffix share the new one.
    /// </summary>
    /// <param name="suffixes">The tenants' ids and, for each, the suffix of its new partitions: letters, digits and underscores.</param>
    /// <param name="cancellationToken">Cancels between two statements. Nothing has changed then, unless all of it has.</param>
    /// <param name="progress">Is told of the parts of each table that are copied; nobody is by default.</param>
    /// <returns>The tables that had shared partitions, with the number of partitions that the tenants got in each.</returns>
    /// <exception cref="ArgumentException">Ids or suffixes cannot be used, all of them in one message. Nothing was changed.</exception>
    /// <exception cref="UnknownTenantException">A tenant is not registered. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">A table would get too many partitions or locks. Nothing was changed.</exception>
    /// <exception cref="TimeoutException">As for the other one. Nothing was changed.</exception>
    Task<TenantAdministrationResult> SplitAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);

    /// <summary>
    ///     Makes contexts refuse these tenants when they are opened, with a <see cref="TenantDisabledException" />: at once in this
    ///     process, in others within <see cref="TenancyDefaults.TenantStateSeconds" />. Rows and partitions stay, and so do contexts
    ///     that are open.
    /// </summary>
    /// <param name="tenantIds">The tenants' ids.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentException">An id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="UnknownTenantException">A tenant is not registered. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">The context has no managed partitions, so there is no registry.</exception>
    Task DisableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default);

    /// <summary>Undoes <see cref="DisableAsync" />: at once in this process, in others within <see cref="TenancyDefaults.TenantStateSeconds" />.</summary>
    /// <param name="tenantIds">The tenants' ids.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentException">An id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="UnknownTenantException">A tenant is not registered. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">The context has no managed partitions, so there is no registry.</exception>
    Task EnableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default);

    /// <summary>The registered tenants, ordered by id, byte by byte.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">The context has no managed partitions, so there is no registry.</exception>
    Task<IReadOnlyList<RegisteredTenant>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>
    ///     Deletes all rows of tenants, in the order that foreign keys ask for, and leaves the tenants registered. Global tables are
    ///     spared. As Marten's <c>DeleteAllTenantDataAsync</c>, which takes the registration too.
    /// </summary>
    /// <param name="tenantIds">The tenants' ids.</param>
    /// <param name="cancellationToken">Cancels between two tables. What is done stays; the same call goes on.</param>
    /// <param name="progress">Is told of each table; nobody is by default.</param>
    /// <returns>What was done in each table.</returns>
    /// <exception cref="ArgumentException">An id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="UnknownTenantException">A tenant is not registered. Nothing was changed.</exception>
    /// <exception cref="TenantAdministrationException">A table failed; those that come after it were not touched.</exception>
    Task<TenantAdministrationResult> DeleteDataAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);

    /// <summary>
    ///     Compares the registry with the partitions and finishes what was begun: half added and half removed tenants, missing
    ///     partitions, shared partitions that lack a tenant, detaches that were cut off. What nobody registered is reported and left:
    ///     neither the registry nor rows are ever overwritten. So is a tenant whose database or schema is gone or does not answer: an empty one in
    ///     its place would hide that the rows are lost.
    /// </summary>
    /// <param name="cancellationToken">Cancels between two statements. What is done stays; the same call goes on.</param>
    /// <param name="progress">Is told of each table; nobody is by default.</param>
    /// <returns>What was found, and whether it was mended. Empty when all is well.</returns>
    /// <exception cref="InvalidOperationException">The context has no managed partitions, so there is no registry.</exception>
    /// <exception cref="TenantAdministrationException">Tables failed; the others are done.</exception>
    Task<IReadOnlyList<TenantRepair>> RepairAsync(
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);
}
#pragma warning restore CA1068

/// <summary><see cref="ITenantAdministration" /> of one type of context, from the services.</summary>
/// <typeparam name="TContext">The type of the context.</typeparam>
public interface ITenantAdministration<TContext> : ITenantAdministration
    where TContext : DbContext;
