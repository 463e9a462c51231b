using EfTenancy;
using EfTenancy.Infrastructure;
using EfTenancy.Storage.Internal;
using EfTenancy.Update.Internal;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Bulk insert through PostgreSQL's binary COPY. As Marten's <c>BulkInsert</c>, with a tenant, without, or one for each row.</summary>
/// <remarks>
///     Rows are streamed, not tracked, and written with the model's columns, value converters and tenant by one COPY, inside the
///     context's transaction if it has one: either all rows are written or none. Columns that the database generates are left to
///     it when the first entity has no value for them; then none may have one. Not supported yet: inheritance, owned and complex
///     types, several tables for one type, and values that EF generates in the application.
/// </remarks>
public static class TenancyBulkInsertExtensions
{
    /// <summary>Inserts entities for the tenant of the context, or global ones of a single-tenanted type.</summary>
    /// <typeparam name="TEntity">The type of the entities.</typeparam>
    /// <param name="tenancy">The context's tenancy: <c>db.Tenancy()</c>.</param>
    /// <param name="entities">The entities; enumerated once.</param>
    /// <param name="cancellationToken">Cancels the insert; nothing is written then.</param>
    /// <returns>The number of rows written.</returns>
    /// <exception cref="CrossTenantWriteException">An entity's own tenant property names another tenant.</exception>
    /// <exception cref="UnknownTenantException">The table has no partition for the tenant.</exception>
    /// <exception cref="NotSupportedException">The type's mapping cannot be bulk inserted.</exception>
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        IEnumerable<TEntity> entities,
        CancellationToken cancellationToken = default)
        where TEntity : class
        => BulkInsertAsync(tenancy, entities.ToAsyncEnumerable(), cancellationToken);

    /// <inheritdoc cref="BulkInsertAsync{TEntity}(TenancyFacade, IEnumerable{TEntity}, CancellationToken)" />
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        IAsyncEnumerable<TEntity> entities,
        CancellationToken cancellationToken = default)
        where TEntity : class
        => TenantBulkInserter<TEntity>.For(tenancy).InsertAsync(entities, TenantOfRows<TEntity>.OfContext, cancellationToken);

    /// <summary>Inserts entities for a named tenant, whatever the tenant of the context.</summary>
    /// <typeparam name="TEntity">The type of the entities, which must be multi-tenanted.</typeparam>
    /// <param name="tenancy">The context's tenancy: <c>db.Tenancy()</c>.</param>
    /// <param name="tenantId">The tenant's id.</param>
    /// <param name="entities">The entities; enumerated once.</param>
    /// <param name="cancellationToken">Cancels the insert; nothing is written then.</param>
    /// <returns>The number of rows written.</returns>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="CrossTenantWriteException">An entity's own tenant property names another tenant.</exception>
    /// <exception cref="InvalidOperationException">The type is single-tenanted.</exception>
    /// <exception cref="UnknownTenantException">The table has no partition for the tenant.</exception>
    /// <exception cref="NotSupportedException">The type's mapping cannot be bulk inserted.</exception>
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        string tenantId,
        IEnumerable<TEntity> entities,
        CancellationToken cancellationToken = default)
        where TEntity : class
        => BulkInsertAsync(tenancy, tenantId, entities.ToAsyncEnumerable(), cancellationToken);

    /// <inheritdoc cref="BulkInsertAsync{TEntity}(TenancyFacade, string, IEnumerable{TEntity}, CancellationToken)" />
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        string tenantId,
        IAsyncEnumerable<TEntity> entities,
        CancellationToken cancellationToken = default)
        where TEntity : class
    {
        TenantIdRules.Check(tenantId, nameof(tenantId));

        return TenantBulkInserter<TEntity>.For(tenancy)
            .InsertAsync(entities, TenantOfRows<TEntity>.Named(tenantId), cancellationToken);
    }

    /// <summary>Inserts entities of several tenants in one COPY; the function tells the tenant of each.</summary>
    /// <typeparam name="TEntity">The type of the entities, which must be multi-tenanted.</typeparam>
    /// <param name="tenancy">The context's tenancy: <c>db.Tenancy()</c>.</param>
    /// <param name="tenantId">Gives the id of the tenant that an entity belongs to.</param>
    /// <param name="entities">The entities; enumerated once.</param>
    /// <param name="cancellationToken">Cancels the insert; nothing is written then.</param>
    /// <returns>The number of rows written.</returns>
    /// <exception cref="ArgumentException">An id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="CrossTenantWriteException">An entity's own tenant property names another tenant.</exception>
    /// <exception cref="InvalidOperationException">The type is single-tenanted.</exception>
    /// <exception cref="UnknownTenantException">The table has no partition for a tenant.</exception>
    /// <exception cref="NotSupportedException">The type's mapping cannot be bulk inserted.</exception>
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        Func<TEntity, string> tenantId,
        IEnumerable<TEntity> entities,
        CancellationToken cancellationToken = default)
        where TEntity : class
        => BulkInsertAsync(tenancy, tenantId, entities.ToAsyncEnumerable(), cancellationToken);

    /// <inheritdoc cref="BulkInsertAsync{TEntity}(TenancyFacade, Func{TEntity, string}, IEnumerable{TEntity}, CancellationToken)" />
    public static Task<long> BulkInsertAsync<TEntity>(
        this TenancyFacade tenancy,
        Func<TEntity, string> tenantId,
        IAsyncEnumerable<TEntity> entities,
        CancellationToken cancellationToken = default)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(tenantId);

        return TenantBulkInserter<TEntity>.For(tenancy)
            .InsertAsync(entities, TenantOfRows<TEntity>.OfEach(tenantId), cancellationToken);
    }
}
