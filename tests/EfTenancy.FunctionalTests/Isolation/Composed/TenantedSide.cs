using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>The same with tenancy, in the tables of all tenants.</summary>
public sealed class TenantedSide(BazaarDatabases databases, int own) : BazaarSide(databases, own, databases.Tenanted())
{
    private string? _others;
    private bool _isAcross;

    public override async Task<List<string>> RowsAsync()
    {
        var rows = await TablesAsync();
        if (IsOfSeveralTenants)
        {
            Assert.DoesNotContain(rows, r => Enumerable.Range(0, BazaarSeed.Tenants).Any(t => r.Tenant == Databases.Tenants(t) != IsOf(t, r.Row)));
            return [.. rows.Select(r => r.Row)];
        }

        var others = string.Join('\n', rows.Where(r => !IsRead(r)).OrderBy(r => r.Tenant, StringComparer.Ordinal));
        Assert.Equal(_others ??= others, others);
        return [.. rows.Where(IsRead).Select(r => r.Row)];
    }

    public override IDisposable AcrossTenants(BazaarContext db)
    {
        var scope = db.Tenancy().AcrossTenants("a unit of work for all");
        var before = _isAcross;
        _isAcross = true;
        return new Scope(
            () =>
            {
                _isAcross = before;
                scope.Dispose();
            });
    }

    public override IQueryable<T> Set<T>(BazaarContext db, IEntityType type, int tenant)
    {
        var ofTenant = tenant == Own ? null : db.Tenancy().ForTenant(Databases.Tenants(tenant));
        return ofTenant is null || _isAcross ? SetOf<T>(db, type) : ofTenant.Set<T>();
    }

    public override async Task FindAsync<T>(BazaarContext db, IEntityType type, object[] key, int tenant)
        => _ = tenant == Own
            ? await SetOf<T>(db, type).FindAsync(key)
            : await db.Tenancy().ForTenant(Databases.Tenants(tenant)).FindAsync<T>(key);

    public override void Track<T>(BazaarContext db, TrackVerb verb, T row, int tenant)
    {
        if (tenant == Own)
        {
            Track(row is Dictionary<string, object> ? db.Set<T>(BazaarContext.Settings) : db.Set<T>(), verb, row);
            return;
        }

        var ofTenant = db.Tenancy().ForTenant(Databases.Tenants(tenant));
        _ = verb switch
        {
            TrackVerb.Add => ofTenant.Add(row),
            TrackVerb.Attach => ofTenant.Attach(row),
            TrackVerb.Update => ofTenant.Update(row),
            _ => ofTenant.Remove(row),
        };
    }

    public override BazaarSide Of(int tenant)
        => new TenantedSide(Databases, tenant);

    protected override BazaarContext CreateContext()
        => Databases.Tenanted(First);

    private bool IsRead((string? Tenant, string Row) row)
        => row.Tenant == Databases.Tenants(Own)
            || (Databases.HaveSharedRows && row.Tenant == Databases.Tenants(BazaarSeed.Shared) && SharingContext.IsShared(row.Row.Split(' ')[0]));

    private static bool IsOf(int tenant, string row)
        => row[row.IndexOf(' ') + 1] - '0' == tenant;

    private sealed class Scope(Action leave) : IDisposable
    {
        public void Dispose()
            => leave();
    }
}
