namespace EfTenancy.Administration.Internal;

/// <summary>Tables in the order of their foreign keys; those that reference each other in a circle come as one group.</summary>
public sealed class TenantTableOrder
{
    private readonly Dictionary<uint, List<uint>> _principals;
    private readonly Dictionary<uint, (int Index, int Low)> _visited = [];
    private readonly Stack<uint> _path = [];
    private readonly List<List<uint>> _groups = [];

    // Tarjan's: a group is found once all that it references has been.
    private TenantTableOrder(IEnumerable<TenantTable> tables, IEnumerable<TenantForeignKey> foreignKeys)
    {
        _principals = tables.ToDictionary(t => t.Oid, _ => new List<uint>());
        foreach (var foreignKey in foreignKeys)
        {
            if (_principals.TryGetValue(foreignKey.Table, out var principals) && _principals.ContainsKey(foreignKey.Principal))
            {
                principals.Add(foreignKey.Principal);
            }
        }

        foreach (var table in _principals.Keys)
        {
            if (!_visited.ContainsKey(table))
            {
                Visit(table);
            }
        }
    }

    /// <summary>
    ///     In the order in which EF saves: level by level, by name within a level. What locks tables in another order than the application
    ///     waits for a request that waits for it.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<TenantTable>> ParentsFirst(
        IReadOnlyCollection<TenantTable> tables,
        IEnumerable<TenantForeignKey> foreignKeys)
    {
        var byOid = tables.ToDictionary(t => t.Oid);
        var order = new TenantTableOrder(tables, foreignKeys);
        var levels = order.Levels();
        return
        [
            .. order._groups
                .Select(g => g.Select(oid => byOid[oid]).OrderBy(t => t.Name, StringComparer.Ordinal).ToList())
                .OrderBy(g => levels[g[0].Oid]).ThenBy(g => g[0].Name, StringComparer.Ordinal).ThenBy(g => g[0].Schema, StringComparer.Ordinal),
        ];
    }

    private Dictionary<uint, int> Levels()
    {
        var levels = new Dictionary<uint, int>();
        foreach (var group in _groups)
        {
            var level = group.SelectMany(t => _principals[t]).Except(group).Select(p => levels[p] + 1).DefaultIfEmpty().Max();
            group.ForEach(t => levels[t] = level);
        }

        return levels;
    }

    private int Visit(uint table)
    {
        var index = _visited.Count;
        var low = index;
        _visited[table] = (index, low);
        _path.Push(table);

        foreach (var principal in _principals[table])
        {
            if (!_visited.TryGetValue(principal, out var seen))
            {
                low = Math.Min(low, Visit(principal));
            }
            else if (_path.Contains(principal))
            {
                low = Math.Min(low, seen.Index);
            }
        }

        _visited[table] = (index, low);
        if (low == index)
        {
            var group = new List<uint>();
            while (!group.Contains(table))
            {
                group.Add(_path.Pop());
            }

            _groups.Add(group);
        }

        return low;
    }
}

/// <summary>A foreign key between two tables of tenants.</summary>
public sealed record TenantForeignKey(uint Table, uint Principal, string Name);
