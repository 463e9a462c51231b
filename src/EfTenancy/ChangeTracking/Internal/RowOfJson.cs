using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>The entity whose row an entry is stored in: that of the owner, for what is in JSON; null if it is not tracked.</summary>
#pragma warning disable EF1001 // EF goes this way itself when it writes JSON.
public static class RowOfJson
{
    public static InternalEntityEntry? Find(InternalEntityEntry entry)
    {
        var row = entry;
        while (row?.EntityType.IsMappedToJson() == true)
        {
            row = row.StateManager.FindPrincipal(row, row.EntityType.FindOwnership()!);
        }

        return row;
    }
}
#pragma warning restore EF1001
