using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>Gives each entity type a finder that knows the tenant's part of the key.</summary>
#pragma warning disable EF1001 // Find has no public hook, and its callers know nothing of the tenant in the key.
public class TenancyEntityFinderSource : IEntityFinderSource
{
    private delegate IEntityFinder Create(IStateManager stateManager, IDbSetSource setSource, IDbSetCache setCache, IEntityType type);

    private readonly ConcurrentDictionary<Type, Create> _cache = new();

    IEntityFinder IEntityFinderSource.Create(IStateManager stateManager, IDbSetSource setSource, IDbSetCache setCache, IEntityType type)
        => _cache.GetOrAdd(
            type.ClrType,
            static clrType => new Func<Create>(CreateFinder<object>).Method.GetGenericMethodDefinition()
                .MakeGenericMethod(clrType).CreateDelegate<Func<Create>>()())(stateManager, setSource, setCache, type);

    private static Create CreateFinder<TEntity>()
        where TEntity : class
        => static (stateManager, setSource, setCache, type)
            => new TenancyEntityFinder<TEntity>((TenancyStateManager)stateManager, setSource, setCache, type);
}
#pragma warning restore EF1001
