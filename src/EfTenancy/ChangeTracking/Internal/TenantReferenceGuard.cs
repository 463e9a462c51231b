using System.Linq.Expressions;
using System.Reflection;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Query.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Update;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Where keys are ids only, the database lets a row reference another tenant's: looks before each save whether the rows that are
///     referenced belong to the row's own tenant. A row never changes its tenant, so what is seen here holds until it is written.
/// </summary>
#pragma warning disable EF1001 // See TenancyStateManager; this is one step of its saves.
public sealed class TenantReferenceGuard(
    StateManager stateManager,
    CurrentTenant tenant,
    IDiagnosticsLogger<DbLoggerCategory.Update> logger)
{
    private static readonly MethodInfo MatchesMethod
        = typeof(TenantReferenceGuard).GetMethod(nameof(Matches), BindingFlags.NonPublic | BindingFlags.Static)!;

    private static readonly MethodInfo ContainsMethod
        = new Func<IEnumerable<object>, object, bool>(Enumerable.Contains).Method.GetGenericMethodDefinition();

    public void RefuseOtherTenants(IList<IUpdateEntry> entriesToSave)
    {
        foreach (var references in ToRowsInDatabase(entriesToSave))
        {
            using var _ = tenant.LookingUpOwnRows();
            RefuseIfMissing(references, Matches(references).ToList().Count);
        }
    }

    public async Task RefuseOtherTenantsAsync(IList<IUpdateEntry> entriesToSave, CancellationToken cancellationToken)
    {
        foreach (var references in ToRowsInDatabase(entriesToSave))
        {
            using var _ = tenant.LookingUpOwnRows();
            RefuseIfMissing(
                references, (await Matches(references).ToListAsync(cancellationToken).ConfigureAwait(false)).Count);
        }
    }

    private List<References> ToRowsInDatabase(IList<IUpdateEntry> entriesToSave)
    {
        var references = new Dictionary<(IForeignKey, object), References>();
        foreach (var entry in entriesToSave.Cast<InternalEntityEntry>())
        {
            if (entry.EntityState is not (EntityState.Added or EntityState.Modified)
                || entry.EntityType.FindTenantProperty() is not { } tenantProperty)
            {
                continue;
            }

            foreach (var foreignKey in entry.EntityType.GetForeignKeys().Where(fk => IsWritten(entry, fk)))
            {
                var tenantValue = entry[tenantProperty]!;
                var principal = FindPrincipal(entry, foreignKey);
                if (principal?.EntityState == EntityState.Added || IsOfSameRow(entry.EntityType, foreignKey))
                {
                    if (principal is not null && !Equals(Stored(principal[principal.EntityType.FindTenantProperty()!]), Stored(tenantValue)))
                    {
                        throw Refusal(foreignKey, tenantValue, [entry]);
                    }

                    continue;
                }

                var key = (foreignKey, Stored(tenantValue)!);
                if (!references.TryGetValue(key, out var ofTenant))
                {
                    references.Add(key, ofTenant = new References(foreignKey, tenantValue));
                }

                ofTenant.Keys.Add([.. foreignKey.Properties.Select(p => entry[p]!)]);
                ofTenant.Entries.Add(entry);
            }
        }

        return [.. references.Values];
    }

    // EF finds none of another type in the same table, whose row the database takes as well.
    private InternalEntityEntry? FindPrincipal(InternalEntityEntry entry, IForeignKey foreignKey)
        => stateManager.TryGetEntry(foreignKey.PrincipalKey, [.. foreignKey.Properties.Select(p => entry[p])]) is { } principal
            && PrincipalOf(foreignKey).IsAssignableFrom(principal.EntityType)
                ? principal
                : null;

    // As the database's constraint, which knows tables: one for all types of a hierarchy, or one for each concrete type.
    private static IEntityType PrincipalOf(IForeignKey foreignKey)
        => foreignKey.PrincipalEntityType.GetMappingStrategy() == RelationalAnnotationNames.TpcMappingStrategy
            ? foreignKey.PrincipalEntityType
            : foreignKey.PrincipalKey.DeclaringEntityType;

    private static bool IsWritten(InternalEntityEntry entry, IForeignKey foreignKey)
        => foreignKey.PrincipalEntityType.FindTenantProperty() is not null
            && foreignKey.Properties.All(p => entry[p] is not null)
            && foreignKey.Properties.Any(p => entry.EntityState == EntityState.Added || entry.IsModified(p));

    // The database has no constraint there, and a part is written together with the row that it is found by.
    private static bool IsOfSameRow(IEntityType entityType, IForeignKey foreignKey)
        => entityType.IsMappedToJson()
            || (StoreObjectIdentifier.Create(entityType, StoreObjectType.Table) is { } table && foreignKey.IsRowInternal(table));

    private object? Stored(object? value)
        => tenant.IdConverter.ToStored(value);

    private IQueryable<int> Matches(References references)
        => (IQueryable<int>)MatchesMethod.MakeGenericMethod(references.Principal.ClrType).Invoke(null, [stateManager.Context, references])!;

    private static IQueryable<int> Matches<TPrincipal>(DbContext context, References references)
        where TPrincipal : class
    {
        var entity = Expression.Parameter(typeof(TPrincipal), "e");
        var predicate = Expression.AndAlso(
            PropertyExpression.EqualTo(entity, references.Principal.FindTenantProperty()!, references.Tenant), HasOneOf(entity, references));

        return ((IQueryable<TPrincipal>)Rows(context, references.Principal))
            .IgnoreQueryFilters()
            .Where(Expression.Lambda<Func<TPrincipal, bool>>(predicate, entity))
            .Select(_ => 1);
    }

    // EF has no set of owned rows.
    private static IQueryable Rows(DbContext context, IEntityType entityType)
    {
        if (entityType.FindOwnership() is not { } ownership)
        {
            var (sets, source) = ((IDbSetCache)context, ((IDbContextDependencies)context).SetSource);
            return (IQueryable)(entityType.HasSharedClrType
                ? sets.GetOrAddSet(source, entityType.Name, entityType.ClrType)
                : sets.GetOrAddSet(source, entityType.ClrType));
        }

        var navigation = ownership.PrincipalToDependent!;
        var owners = Rows(context, ownership.PrincipalEntityType);
        var owner = Expression.Parameter(ownership.PrincipalEntityType.ClrType, "o");
        var type = navigation.IsCollection ? typeof(IEnumerable<>).MakeGenericType(entityType.ClrType) : entityType.ClrType;
        return owners.Provider.CreateQuery(
            Expression.Call(
                typeof(Queryable),
                navigation.IsCollection ? nameof(Queryable.SelectMany) : nameof(Queryable.Select),
                [owner.Type, entityType.ClrType],
                owners.Expression,
                Expression.Quote(
                    Expression.Lambda(
                        typeof(Func<,>).MakeGenericType(owner.Type, type), PropertyExpression.Of(owner, navigation, type), owner))));
    }

    private static Expression HasOneOf(ParameterExpression entity, References references)
    {
        if (references.ForeignKey.PrincipalKey.Properties is [var id])
        {
            var ids = Array.CreateInstance(id.ClrType, references.Keys.Count);
            Array.Copy(references.Keys.Select(k => k[0]).ToArray(), ids, ids.Length);
            return Expression.Call(
                ContainsMethod.MakeGenericMethod(id.ClrType),
                PropertyExpression.Variable(ids, ids.GetType()),
                PropertyExpression.Of(entity, id));
        }

        return references.Keys
            .Select(key => references.ForeignKey.PrincipalKey.Properties.Zip(key)
                .Select(Expression (p) => PropertyExpression.EqualTo(entity, p.First, p.Second))
                .Aggregate(Expression.AndAlso))
            .Aggregate(Expression.OrElse);
    }

    private void RefuseIfMissing(References references, int found)
    {
        if (found != references.Keys.Count)
        {
            throw Refusal(references.ForeignKey, references.Tenant, references.Entries);
        }
    }

    // As EF tells of a reference to a row that is not there, which is all that the row's tenant can see.
    private DbUpdateException Refusal(IForeignKey foreignKey, object tenantValue, IReadOnlyList<IUpdateEntry> entries)
    {
        var tenantId = tenant.IdConverter.ToTenantIdOf(tenantValue)!;
        var message = TenancyStrings.ReferenceToOtherTenant(
            foreignKey.DeclaringEntityType.DisplayName(),
            foreignKey.PrincipalEntityType.DisplayName(),
            "{" + string.Join(", ", foreignKey.Properties.Select(p => p.Name)) + "}",
            tenantId);
        logger.CrossTenantWriteRefused(tenant.Context, rowTenantId: null, message);
        return new DbUpdateException(message, new CrossTenantWriteException(message, rowTenantId: null, tenantId), entries);
    }

    private sealed record References(IForeignKey ForeignKey, object Tenant)
    {
        public IEntityType Principal { get; } = PrincipalOf(ForeignKey);

        public HashSet<object[]> Keys { get; } = new(new KeyComparer(ForeignKey.PrincipalKey));

        public List<IUpdateEntry> Entries { get; } = [];
    }

    private sealed class KeyComparer(IKey key) : IEqualityComparer<object[]>
    {
        private readonly List<ValueComparer> _comparers = [.. key.Properties.Select(p => p.GetKeyValueComparer())];

        public bool Equals(object[]? x, object[]? y)
            => x is not null && y is not null && _comparers.Zip(x, y).All(v => v.First.Equals(v.Second, v.Third));

        public int GetHashCode(object[] obj)
            => _comparers.Zip(obj).Aggregate(0, (hash, v) => HashCode.Combine(hash, v.First.GetHashCode(v.Second)));
    }
}
#pragma warning restore EF1001
