using EfTenancy;
using EfTenancy.Infrastructure;
using EfTenancy.Storage.Internal;
using EfTenancy.Update.Internal;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Bulk insert through PostgreSQL's binary COPY. As Marten's <c>BulkInsert</c>, with a tenant, without, or one for each row.</summary>
/// <remarks>
///     <para>
///         Rows hold what <c>SaveChanges</c> would write for them, in the tables of the whole mapping: hierarchies (TPH, TPT, TPC), owned and
///         complex types, JSON columns, table and entity splitting. Entities are not tracked, and navigations to other entities are not
///         followed: a foreign key is taken from its navigation where that is set, and the principal must have its key.
///     </para>
///     <para>
///         One table is streamed into one COPY. Several tables, or values that must be known before the rows are written, go in batches
///         of 1,000 entities, in a transaction of their own or under a savepoint of the context's: either all rows are written or none.
///     </para>
///     <para>
///         Keys that the database generates are left to it, for all entities or for none; with <c>returnGeneratedValues</c> they are
///         reserved from its sequences before, and set into the entities. Computed columns and row versions do not come back.
///     </para>
/// </remarks>
public static class TenancyBulkInsertExtensions
{
    /// <summary>Inserts entities for the tenant of the context, or global ones of a single-tenanted type.</summary>
    /// <typeparam name="TEntity">The type of the entities.</typeparam>
    /// <param name="tenancy">The context's tenancy: <c>db.Tenancy()</c>.</param>
    /// <param name="entities">The entities; enumerated once.</param>
    /// <param name="returnGeneratedValues">
    ///     Whether generated keys and defaults of columns are set into the entities; by default they are left as they are.
    /// </param>
    /// <param name="cancellationToken">Cancels the insert; nothing is written then.</param>
    /// <returns>The number of entities inserted.</returns>
    /// <exception cref="CrossTenantWriteException">An entity's own tenant property names another tenant.</exception>
    /// <exception cref="UnknownTenantException">The table has no partition for the tenant.</exception>
    /// <exception cref="NotSupportedException">The type's mapping cannot be bulk inserted.</exception>
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        IEnumerable<TEntity> entities,
        bool returnGeneratedValues = false,
        CancellationToken cancellationToken = default)
        where TEntity : class
        => BulkInsertAsync(tenancy, entities.ToAsyncEnumerable(), returnGeneratedValues, cancellationToken);

    /// <inheritdoc cref="BulkInsertAsync{TEntity}(TenancyFacade, IEnumerable{TEntity}, bool, CancellationToken)" />
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        IAsyncEnumerable<TEntity> entities,
        bool returnGeneratedValues = false,
        CancellationToken cancellationToken = default)
        where TEntity : class
        => TenantBulkInserter<TEntity>.For(tenancy, returnGeneratedValues)
            .InsertAsync(entities, TenantOfRows<TEntity>.OfContext, cancellationToken);

    /// <summary>Inserts entities for a named tenant, whatever the tenant of the context.</summary>
    /// <typeparam name="TEntity">The type of the entities, which must be multi-tenanted.</typeparam>
    /// <param name="tenancy">The context's tenancy: <c>db.Tenancy()</c>.</param>
    /// <param name="tenantId">The tenant's id.</param>
    /// <param name="entities">The entities; enumerated once.</param>
    /// <param name="returnGeneratedValues">
    ///     Whether generated keys and defaults of columns are set into the entities; by default they are left as they are.
    /// </param>
    /// <param name="cancellationToken">Cancels the insert; nothing is written then.</param>
    /// <returns>The number of entities inserted.</returns>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="CrossTenantWriteException">An entity's own tenant property names another tenant.</exception>
    /// <exception cref="InvalidOperationException">The type is single-tenanted.</exception>
    /// <exception cref="UnknownTenantException">The table has no partition for the tenant.</exception>
    /// <exception cref="NotSupportedException">The type's mapping cannot be bulk inserted.</exception>
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        string tenantId,
        IEnumerable<TEntity> entities,
        bool returnGeneratedValues = false,
        CancellationToken cancellationToken = default)
        where TEntity : class
        => BulkInsertAsync(tenancy, tenantId, entities.ToAsyncEnumerable(), returnGeneratedValues, cancellationToken);

    /// <inheritdoc cref="BulkInsertAsync{TEntity}(TenancyFacade, string, IEnumerable{TEntity}, bool, CancellationToken)" />
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        string tenantId,
        IAsyncEnumerable<TEntity> entities,
        bool returnGeneratedValues = false,
        CancellationToken cancellationToken = default)
        where TEntity : class
    {
        TenantIdRules.Check(tenantId, nameof(tenantId));

        return TenantBulkInserter<TEntity>.For(tenancy, returnGeneratedValues)
            .InsertAsync(entities, TenantOfRows<TEntity>.Named(tenantId), cancellationToken);
    }

    /// <summary>Inserts entities of several tenants in one COPY; the function tells the tenant of each.</summary>
    /// <typeparam name="TEntity">The type of the entities, which must be multi-tenanted.</typeparam>
    /// <param name="tenancy">The context's tenancy: <c>db.Tenancy()</c>.</param>
    /// <param name="tenantId">Gives the id of the tenant that an entity belongs to.</param>
    /// <param name="entities">The entities; enumerated once.</param>
    /// <param name="returnGeneratedValues">
    ///     Whether generated keys and defaults of columns are set into the entities; by default they are left as they are.
    /// </param>
    /// <param name="cancellationToken">Cancels the insert; nothing is written then.</param>
    /// <returns>The number of entities inserted.</returns>
    /// <exception cref="ArgumentException">An id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="CrossTenantWriteException">An entity's own tenant property names another tenant.</exception>
    /// <exception cref="InvalidOperationException">The type is single-tenanted.</exception>
    /// <exception cref="UnknownTenantException">The table has no partition for a tenant.</exception>
    /// <exception cref="NotSupportedException">The type's mapping cannot be bulk inserted.</exception>
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        Func<TEntity, string> tenantId,
        IEnumerable<TEntity> entities,
        bool returnGeneratedValues = false,
        CancellationToken cancellationToken = default)
        where TEntity : class
        => BulkInsertAsync(tenancy, tenantId, entities.ToAsyncEnumerable(), returnGeneratedValues, cancellationToken);

    /// <inheritdoc cref="BulkInsertAsync{TEntity}(TenancyFacade, Func{TEntity, string}, IEnumerable{TEntity}, bool, CancellationToken)" />
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        Func<TEntity, string> tenantId,
        IAsyncEnumerable<TEntity> entities,
        bool returnGeneratedValues = false,
        CancellationToken cancellationToken = default)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(tenantId);

        return TenantBulkInserter<TEntity>.For(tenancy, returnGeneratedValues)
            .InsertAsync(entities, TenantOfRows<TEntity>.OfEach(tenantId), cancellationToken);
    }
}
