using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Administration;

/// <summary>
///     Moves a tenant between shared tables, a schema, a database and shards, and writes it to files and back. From the services after
///     <c>AddTenantAdministration&lt;TContext&gt;()</c>, as <see cref="ITenantMover{TContext}" />. Marten has no such thing.
/// </summary>
/// <remarks>
///     The tenant's rows are those of the model's multi-tenanted tables; without any, those of all tables, except tables with a schema where
///     tenants share these. Rows are copied parents first, with their keys and generated ids. Triggers of the destination run.
/// </remarks>
#pragma warning disable CA1068 // The token comes before the progress, which is left out more often.
public interface ITenantMover
{
    /// <summary>
    ///     Moves a tenant. Meanwhile its rows can be read and not be written: a write throws a <see cref="TenantDatabaseException" /> with
    ///     <see cref="TenantDatabaseError.BeingMoved" />, for the time of the copy and twice to three times <see cref="TenancyDefaults.TenantStateSeconds" />.
    ///     The schema, and tables where there are none yet, are created. The registry is changed when counts and checksums of all tables are
    ///     the same on both sides, and only then are the old rows deleted, with the tenant's own schema, and its own database where it was made for it.
    /// </summary>
    /// <param name="tenantId">The tenant's id. A disabled one may be moved too.</param>
    /// <param name="destination">Where it goes; where it is, to give up a move that was cut off before the change of the registry.</param>
    /// <param name="cancellationToken">Cancels the call; before the change of the registry the tenant stays where it was, as after every failure.</param>
    /// <param name="progress">Is told of each table; nobody is by default.</param>
    /// <returns>The tables with their rows; none if the tenant was there already.</returns>
    /// <remarks>A process may be killed at any moment: the same call goes on. Processes that move the same tenant come one after the other.</remarks>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="UnknownTenantException">Nobody knows the tenant.</exception>
    /// <exception cref="InvalidOperationException">
    ///     There is no registry, no such database, or no place for tenants there; the tables differ; the destination has rows of the tenant, or
    ///     lacks rows of global tables that the tenant's reference; the tenant is on its way elsewhere; or rows came past the read only state.
    /// </exception>
    /// <exception cref="TimeoutException">Another process moves the tenant, or older transactions did not end in time.</exception>
    /// <exception cref="TenantDatabaseException">A database cannot be reached.</exception>
    Task<TenantTransferResult> MoveAsync(
        string tenantId,
        TenantDestination destination,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);

    /// <summary>
    ///     Writes a tenant's rows, as they are at one moment, into files of PostgreSQL's COPY, one for each table, and a <c>manifest.json</c> with
    ///     columns, counts and checksums, which is written last. The tenant goes on working.
    /// </summary>
    /// <param name="tenantId">The tenant's id. A disabled one may be exported too.</param>
    /// <param name="directory">A directory that is empty, or is not there yet.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <param name="progress">Is told of each table; nobody is by default.</param>
    /// <returns>The tables with their rows.</returns>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="UnknownTenantException">Nobody knows the tenant.</exception>
    /// <exception cref="InvalidOperationException">A table is missing.</exception>
    /// <exception cref="IOException">The directory is not empty, or cannot be written to.</exception>
    Task<TenantTransferResult> ExportAsync(
        string tenantId,
        string directory,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);

    /// <summary>
    ///     Brings the rows of <see cref="ExportAsync" /> to the place where the tenant is now, in one transaction. Manifest and files are checked
    ///     before anything is written, and counts and checksums of what is there before it is committed.
    /// </summary>
    /// <param name="tenantId">The tenant's id, the same as that of the files; it must be known, and have no rows. It may be disabled.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="cancellationToken">Cancels the call. Nothing was changed.</param>
    /// <param name="progress">Is told of each table; nobody is by default.</param>
    /// <returns>The tables with their rows.</returns>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="UnknownTenantException">Nobody knows the tenant.</exception>
    /// <exception cref="InvalidDataException">The manifest does not fit the tables or the tenant, or a file was changed. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">The tenant has rows, or rows of global tables that its rows reference are missing. Nothing was changed.</exception>
    /// <exception cref="IOException">A file is missing.</exception>
    Task<TenantTransferResult> ImportAsync(
        string tenantId,
        string directory,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null);
}
#pragma warning restore CA1068

/// <summary><see cref="ITenantMover" /> of one type of context, from the services.</summary>
/// <typeparam name="TContext">The type of the context.</typeparam>
public interface ITenantMover<TContext> : ITenantMover
    where TContext : DbContext;
