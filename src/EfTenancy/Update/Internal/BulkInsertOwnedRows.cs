using System.Collections;
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Update.Internal;

/// <summary>The rows that owned entities have in a table of their own.</summary>
public sealed class BulkInsertOwnedRows
{
    private readonly bool _isCollection;
    private readonly Func<BulkInsertRow, object?> _read;

    public BulkInsertOwnedRows(BulkInsertPart owner, INavigation navigation, BulkInsertRowType type)
    {
        var row = Expression.Parameter(typeof(BulkInsertRow), "row");
        _read = Expression.Lambda<Func<BulkInsertRow, object?>>(
            Expression.Convert(owner.Member(navigation, row), typeof(object)), row).Compile();
        _isCollection = navigation.IsCollection;
        Type = type;
    }

    public BulkInsertRowType Type { get; }

    public IEnumerable<BulkInsertRow> Of(BulkInsertRow owner)
        => _read(owner) is not { } value ? []
            : (_isCollection ? ((IEnumerable)value).Cast<object>() : [value])
                .Select(entity => new BulkInsertRow(Type, entity, owner.TenantId, owner));
}
