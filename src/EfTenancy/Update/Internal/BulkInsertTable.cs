using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Update.Internal;

/// <summary>A table with the columns that a bulk insert writes, and how rows of each type fill them.</summary>
public sealed class BulkInsertTable
{
    private readonly Dictionary<BulkInsertRowType, BulkInsertCell[]> _cells;

    public BulkInsertTable(ITable table, IEnumerable<BulkInsertRowType> types)
    {
        Table = table;
        var cells = types.Where(t => t.Tables.Contains(table)).ToDictionary(t => t, t => t.CellsOf(table));
        Columns = [.. cells.Values.SelectMany(c => c.Keys).Distinct()];
        _cells = cells.ToDictionary(
            c => c.Key,
            c => Columns.Select(column => c.Value.GetValueOrDefault(column) ?? BulkInsertCell.Absent(column)).ToArray());
    }

    public ITable Table { get; }

    public IReadOnlyList<IColumn> Columns { get; }

    /// <summary>Whether rows can leave a column to the database that is no key, each as it has a value or not.</summary>
    public bool LeavesColumns
        => _cells.Values.SelectMany(c => c).Any(c => c.CanBeLeft && c.Generated?.IsKey() != true);

    public bool Has(BulkInsertRowType type)
        => _cells.ContainsKey(type);

    /// <summary>The cells of a row, in the order of <see cref="Columns" />.</summary>
    public BulkInsertCell[] CellsOf(BulkInsertRowType type)
        => _cells[type];

    /// <summary>Tables with those that they reference before them.</summary>
    public static IReadOnlyList<ITable> Sort(IEnumerable<ITable> tables)
    {
        var left = tables.Distinct().ToList();
        var sorted = new List<ITable>(left.Count);
        while (left.Count > 0)
        {
            // In a cycle any order is as good as another.
            var next = left.FirstOrDefault(
                t => !t.ForeignKeyConstraints.Any(f => f.PrincipalTable != t && left.Contains(f.PrincipalTable))) ?? left[0];
            left.Remove(next);
            sorted.Add(next);
        }

        return sorted;
    }
}
