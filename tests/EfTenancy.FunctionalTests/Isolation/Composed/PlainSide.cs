using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>What plain EF does, and where tenancy is to refuse it.</summary>
public sealed class PlainSide(BazaarDatabases databases, int own) : BazaarSide(databases, own, databases.Plain(own))
{
    private readonly HashSet<(BazaarContext, int)> _opened = [];
    private bool _isAcross;

    public override async Task<List<string>> RowsAsync()
        => [.. (await TablesAsync()).Select(r => r.Row)];

    public override IDisposable AcrossTenants(BazaarContext db)
    {
        var before = _isAcross;
        _isAcross = true;
        return new Scope(() => _isAcross = before);
    }

    public override IQueryable<T> Set<T>(BazaarContext db, IEntityType type, int tenant)
    {
        Open(db, tenant);
        var tenants = tenant == Own ? Databases.Readable(First) : [tenant];
        return _isAcross || !IsOfSeveralTenants
            ? SetOf<T>(db, type)
            : SetOf<T>(db, type).Where(r => tenants.Contains(EF.Property<int>(r, nameof(Item.Origin))));
    }

    public override Task FindAsync<T>(BazaarContext db, IEntityType type, object[] key, int tenant)
    {
        // Without the tenant, a key is of one row.
        if (!Databases.RefusesReferencesFirst)
        {
            RefuseNobody(tenant);
        }

        Open(db, tenant);
        return SetOf<T>(db, type).FindAsync(key).AsTask();
    }

    public override void Track<T>(BazaarContext db, TrackVerb verb, T row, int tenant)
    {
        RefuseNobody(tenant);
        Open(db, tenant);
        Track(row is Dictionary<string, object> ? db.Set<T>(BazaarContext.Settings) : db.Set<T>(), verb, row);
    }

    public override Task<int> SaveAsync(BazaarContext db, bool isAsync)
    {
        if (IsRefused(db))
        {
            // EF may have something against the entries before it hands them on, which is where tenancy looks.
#pragma warning disable EF1001 // No public member looks for it without a save.
            db.GetService<IStateManager>().GetEntriesToSave(cascadeChanges: true);
#pragma warning restore EF1001
            throw new CrossTenantWriteException("", null, "");
        }

        return base.SaveAsync(db, isAsync);
    }

    private bool IsRefused(BazaarContext db)
        => HasRowsOfOthers
            && !_isAcross
            && db.ChangeTracker.Entries()
                .Any(e => e.State != EntityState.Unchanged && TenantOf(e) is var tenant && tenant != Own && !_opened.Contains((db, tenant)));

    public override BazaarSide Of(int tenant)
        => new PlainSide(Databases, tenant);

    protected override BazaarContext CreateContext()
        => Databases.Plain(First);

    private static void RefuseNobody(int tenant)
    {
        if (tenant == Nobody)
        {
            throw new InvalidOperationException("A context of several tenants is to be told whose row it is.");
        }
    }

    // As ForTenant does.
    private void Open(BazaarContext db, int tenant)
        => _opened.Add((db, tenant));

    private sealed class Scope(Action leave) : IDisposable
    {
        public void Dispose()
            => leave();
    }
}
