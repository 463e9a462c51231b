using System.Linq.Expressions;
using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Query.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Infrastructure;

/// <summary>
///     Work for another tenant inside a context's unit of work, from <c>db.Tenancy().ForTenant("Red")</c>: one change tracker, one
///     <c>SaveChanges</c>, one transaction. As Marten's <c>ITenantOperations</c>.
/// </summary>
/// <remarks>
///     Single-tenanted entities are the same here as in the context. An entity that is tracked as another tenant's, or that names another
///     in a tenant property of its own, is refused with an <see cref="InvalidOperationException" />.
/// </remarks>
public sealed class TenantOperations
{
    private readonly TenancyFacade _tenancy;

    internal TenantOperations(TenancyFacade tenancy, string tenantId)
    {
        _tenancy = tenancy;
        TenantId = tenantId;
    }

    /// <summary>The tenant that this works for.</summary>
    public string TenantId { get; }

    /// <summary>The tenant's rows of an entity type. Other sets used in the same query keep the tenant of the context.</summary>
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    public IQueryable<TEntity> Set<TEntity>()
        where TEntity : class
        => EntityType<TEntity>().FindTenantProperty() is null
            ? _tenancy.Context.Set<TEntity>()
            : _tenancy.Context.Set<TEntity>().Where(e => e.TenantIsOneOf(TenantId));

    /// <summary>Finds the tenant's row with these key values, without the tenant: in the change tracker, else in the database.</summary>
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    /// <param name="keyValues">The values of the key, without the tenant.</param>
    /// <returns>The entity, or null.</returns>
    /// <exception cref="ArgumentException">The number or a type of the values is not that of the key without the tenant.</exception>
    public TEntity? Find<TEntity>(params object[] keyValues)
        where TEntity : class
        => FindTracked<TEntity>(keyValues) ?? Set<TEntity>().FirstOrDefault(HasKey<TEntity>(keyValues));

    /// <inheritdoc cref="Find{TEntity}(object[])" />
    /// <param name="keyValues">The values of the key, without the tenant.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async ValueTask<TEntity?> FindAsync<TEntity>(object[] keyValues, CancellationToken cancellationToken = default)
        where TEntity : class
        => FindTracked<TEntity>(keyValues)
            ?? await Set<TEntity>().FirstOrDefaultAsync(HasKey<TEntity>(keyValues), cancellationToken).ConfigureAwait(false);

    /// <summary>As <see cref="DbContext.Add{TEntity}(TEntity)" />: the entity, and what it leads to, become new rows of this tenant.</summary>
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    /// <param name="entity">The entity.</param>
    public EntityEntry<TEntity> Add<TEntity>(TEntity entity)
        where TEntity : class
        => Track([entity], () => _tenancy.Context.Add(entity));

    /// <summary>As <see cref="DbContext.AddRange(IEnumerable{object})" />, for this tenant.</summary>
    /// <param name="entities">The entities.</param>
    public void AddRange(IEnumerable<object> entities)
    {
        var all = entities.ToList();
        Track(
            all,
            () =>
            {
                _tenancy.Context.AddRange(all);
                return true;
            });
    }

    /// <summary>As <see cref="DbContext.Attach{TEntity}(TEntity)" />, for a row of this tenant.</summary>
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    /// <param name="entity">The entity.</param>
    public EntityEntry<TEntity> Attach<TEntity>(TEntity entity)
        where TEntity : class
        => Track([entity], () => _tenancy.Context.Attach(entity));

    /// <summary>As <see cref="DbContext.Update{TEntity}(TEntity)" />, for a row of this tenant.</summary>
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    /// <param name="entity">The entity.</param>
    public EntityEntry<TEntity> Update<TEntity>(TEntity entity)
        where TEntity : class
        => Track([entity], () => _tenancy.Context.Update(entity));

    /// <summary>As <see cref="DbContext.Remove{TEntity}(TEntity)" />, for a row of this tenant.</summary>
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    /// <param name="entity">The entity.</param>
    public EntityEntry<TEntity> Remove<TEntity>(TEntity entity)
        where TEntity : class
        => Track([entity], () => _tenancy.Context.Remove(entity));

    private TResult Track<TResult>(IEnumerable<object> entities, Func<TResult> track)
    {
        using (_tenancy.Tenant.WorkFor(TenantId))
        {
            foreach (var entity in entities)
            {
                RefuseOtherTenant(entity);
            }

            return track();
        }
    }

    // It is tracked already, or says so itself.
    private void RefuseOtherTenant(object entity)
    {
#pragma warning disable EF1001 // DbContext.Entry would detect changes.
        if (entity is not null
            && _tenancy.Context.GetService<IStateManager>().GetOrCreateEntry(entity) is var entry
            && entry.EntityType.FindTenantProperty() is { } property
            && _tenancy.Tenant.IdConverter.ToTenantIdOf(entry[property]) is { } tenantId
            && tenantId != TenantId)
        {
            throw new InvalidOperationException(
                TenancyStrings.EntityOfOtherTenant(entry.EntityType.DisplayName(), entry.EntityType.GetSchemaQualifiedTableName(), tenantId, TenantId));
        }
#pragma warning restore EF1001
    }

    private IEntityType EntityType<TEntity>()
        => _tenancy.Context.Model.FindEntityType(typeof(TEntity))
            ?? throw new InvalidOperationException(TenancyStrings.EntityNotInModel(typeof(TEntity).Name, _tenancy.Context.GetType().Name));

    private TEntity? FindTracked<TEntity>(object[] keyValues)
        where TEntity : class
    {
        var entityType = EntityType<TEntity>();
        var tenant = entityType.FindTenantProperty();
        var key = entityType.FindPrimaryKey()!;
        KeyValueTypes.Check(typeof(TEntity), IdOf<TEntity>(keyValues), keyValues);

        var values = keyValues.ToList();
        if (tenant is not null && key.Properties.ToList().IndexOf(tenant) is >= 0 and var position)
        {
            values.Insert(position, _tenancy.Tenant.IdConverter.ToValue(TenantId));
        }

#pragma warning disable EF1001 // DbSet.Local would detect changes and build a view of all tracked entities for one look-up.
        // A key of ids only may be that of another tenant's row, and any key that of a sibling in a hierarchy.
        return _tenancy.Context.GetService<IStateManager>().TryGetEntry(key, values) is { Entity: TEntity found } entry
            && (tenant is null || _tenancy.Tenant.IdConverter.ToTenantIdOf(entry[tenant]) == TenantId)
                ? found
                : null;
#pragma warning restore EF1001
    }

    private Expression<Func<TEntity, bool>> HasKey<TEntity>(object[] keyValues)
        where TEntity : class
    {
        var entity = Expression.Parameter(typeof(TEntity), "e");
        return Expression.Lambda<Func<TEntity, bool>>(
            IdOf<TEntity>(keyValues).Zip(keyValues)
                .Select(Expression (p) => PropertyExpression.EqualTo(entity, p.First, p.Second))
                .Aggregate(Expression.AndAlso),
            entity);
    }

    // The key without the tenant.
    private List<IProperty> IdOf<TEntity>(object[] keyValues)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(keyValues);

        var entityType = EntityType<TEntity>();
        var tenant = entityType.FindTenantProperty();
        var properties = entityType.FindPrimaryKey()!.Properties.Where(p => p != tenant).ToList();
        return properties.Count == keyValues.Length
            ? properties
            : throw new ArgumentException(
                TenancyStrings.FindValueCount(entityType.DisplayName(), properties.Count, keyValues.Length), nameof(keyValues));
    }
}
