using EfTenancy.Infrastructure.Internal;

namespace EfTenancy.Update.Internal;

/// <summary>Says which tenant the rows of a bulk insert belong to.</summary>
public sealed class TenantOfRows<TEntity>
{
    private readonly string? _named;
    private readonly Func<TEntity, string>? _ofEach;

    // The first row of each tenant: a tenant without partition is refused at its first row.
    private readonly Dictionary<string, (string TenantId, long Row)> _firstRows = [];

    private TenantOfRows(string? named, Func<TEntity, string>? ofEach)
    {
        _named = named;
        _ofEach = ofEach;
    }

    public static TenantOfRows<TEntity> OfContext
        => new(null, null);

    public static TenantOfRows<TEntity> Named(string tenantId)
        => new(tenantId, null);

    public static TenantOfRows<TEntity> OfEach(Func<TEntity, string> tenantId)
        => new(null, tenantId);

    public bool IsExplicit
        => _named is not null || _ofEach is not null;

    public Func<TEntity, long, string?> Resolve(CurrentTenant current)
    {
        if (_ofEach is { } ofEach)
        {
            return (entity, row) =>
            {
                var given = ofEach(entity);
                if (given is null || !_firstRows.TryGetValue(given, out var first))
                {
                    first = (Reachable(current, given), row);
                    _firstRows.Add(given!, first);
                }

                return first.TenantId;
            };
        }

        var one = _named is null ? current.TenantId : Reachable(current, _named);
        _firstRows.Add(one, (one, 1));
        return (_, _) => one;
    }

    private static string Reachable(CurrentTenant current, string? given)
    {
        var tenantId = current.Normalize(given, "tenantId");
        current.Place?.RefuseElsewhere(tenantId);
        return tenantId;
    }

    public string? FirstAt(long? row)
        => _firstRows.Count == 1
            ? _firstRows.Values.First().TenantId
            : _firstRows.Values.Where(f => f.Row == row).Select(f => f.TenantId).FirstOrDefault();
}
