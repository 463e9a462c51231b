using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Administration;

/// <summary>
///     Migrates the databases and schemas of all tenants with the migrations of one context: what all share first, then a few canaries,
///     then the rest side by side. From the services after <c>AddTenantAdministration&lt;TContext&gt;()</c>.
/// </summary>
/// <typeparam name="TContext">The type of the context.</typeparam>
#pragma warning disable CA1068 // The token comes before the progress, which is left out more often.
public interface ITenantMigrator<TContext>
    where TContext : DbContext
{
    /// <summary>
    ///     Migrates whatever is behind. Each database or schema is a transaction of its own, as EF has it, and one that fails does not stop
    ///     the others: the same call does what is left. Several processes may call it at once.
    /// </summary>
    /// <param name="options">How many at once, how many failures, which first; see its defaults.</param>
    /// <param name="cancellationToken">Cancels the call. What is done stays.</param>
    /// <param name="progress">Is told of each database or schema when it is done; nobody is by default.</param>
    /// <returns>What was done, ordered by destination.</returns>
    /// <exception cref="TenantMigrationException">Some failed, or were not begun because others failed.</exception>
    Task<IReadOnlyList<TenantMigrationResult>> MigrateAsync(
        TenantMigrationOptions? options = null,
        CancellationToken cancellationToken = default,
        IProgress<TenantMigrationResult>? progress = null);

    /// <summary>Who has which migration, without changing anything: one query for all schemas of a database, and one for the journal.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    Task<IReadOnlyList<TenantMigrationResult>> ListAsync(CancellationToken cancellationToken = default);
}
#pragma warning restore CA1068
