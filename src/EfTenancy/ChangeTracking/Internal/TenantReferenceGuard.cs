using System.Linq.Expressions;
using System.Reflection;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Query.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
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
        if (!stateManager.Model.KeysAreIdsOnly())
        {
            return [];
        }

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
                if (stateManager.FindPrincipal(entry, foreignKey) is InternalEntityEntry { EntityState: EntityState.Added } added)
                {
                    if (!Equals(Stored(added[added.EntityType.FindTenantProperty()!]), Stored(tenantValue)))
                    {
                        throw Refusal(foreignKey, tenantValue);
                    }

                    continue;
                }

                var key = (foreignKey, Stored(tenantValue)!);
                if (!references.TryGetValue(key, out var ofTenant))
                {
                    references.Add(key, ofTenant = new References(foreignKey, tenantValue));
                }

                ofTenant.Keys.Add([.. foreignKey.Properties.Select(p => entry[p]!)]);
            }
        }

        return [.. references.Values];
    }

    private static bool IsWritten(InternalEntityEntry entry, IForeignKey foreignKey)
        => foreignKey.PrincipalEntityType.FindTenantProperty() is not null
            && foreignKey.Properties.All(p => entry[p] is not null)
            && foreignKey.Properties.Any(p => entry.EntityState == EntityState.Added || entry.IsModified(p));

    private object? Stored(object? value)
        => tenant.IdConverter.ToStored(value);

    private IQueryable<int> Matches(References references)
        => (IQueryable<int>)MatchesMethod.MakeGenericMethod(references.ForeignKey.PrincipalEntityType.ClrType)
            .Invoke(null, [stateManager.Context, references])!;

    private static IQueryable<int> Matches<TPrincipal>(DbContext context, References references)
        where TPrincipal : class
    {
        var principal = references.ForeignKey.PrincipalEntityType;
        var set = principal.HasSharedClrType ? context.Set<TPrincipal>(principal.Name) : context.Set<TPrincipal>();
        var entity = Expression.Parameter(typeof(TPrincipal), "e");
        var predicate = Expression.AndAlso(
            PropertyExpression.EqualTo(entity, principal.FindTenantProperty()!, references.Tenant), HasOneOf(entity, references));

        return set.IgnoreQueryFilters().Where(Expression.Lambda<Func<TPrincipal, bool>>(predicate, entity)).Select(_ => 1);
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
            throw Refusal(references.ForeignKey, references.Tenant);
        }
    }

    private CrossTenantWriteException Refusal(IForeignKey foreignKey, object tenantValue)
    {
        var tenantId = tenant.IdConverter.ToTenantIdOf(tenantValue)!;
        var message = TenancyStrings.ReferenceToOtherTenant(
            foreignKey.DeclaringEntityType.DisplayName(),
            foreignKey.PrincipalEntityType.DisplayName(),
            "{" + string.Join(", ", foreignKey.Properties.Select(p => p.Name)) + "}",
            tenantId);
        logger.CrossTenantWriteRefused(tenant.Context, rowTenantId: null, message);
        return new CrossTenantWriteException(message, rowTenantId: null, tenantId);
    }

    private sealed record References(IForeignKey ForeignKey, object Tenant)
    {
        public HashSet<object[]> Keys { get; } = new(KeyComparer.Instance);
    }

    private sealed class KeyComparer : IEqualityComparer<object[]>
    {
        public static readonly KeyComparer Instance = new();

        public bool Equals(object[]? x, object[]? y)
            => x is not null && y is not null && x.SequenceEqual(y);

        public int GetHashCode(object[] obj)
            => obj.Aggregate(0, HashCode.Combine);
    }
}
#pragma warning restore EF1001
