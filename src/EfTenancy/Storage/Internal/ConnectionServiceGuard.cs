using System.Runtime.CompilerServices;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Storage.Internal;

/// <summary>Refuses a connection service of the application where tenants have places. All contexts of a service provider have the same: it is looked at once.</summary>
public sealed class ConnectionServiceGuard
{
    private bool _isOurs;

    /// <exception cref="InvalidOperationException">The service would take all tenants to one database.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void RefuseOther(DbContext context)
    {
        if (!_isOurs)
        {
            Look(context);
        }
    }

    private void Look(DbContext context)
        => _isOurs = context.GetService<IRelationalConnection>() is TenancyRelationalConnection
            ? true
            : throw new InvalidOperationException(TenancyStrings.ConnectionServiceIsReplaced(context.GetType().Name));
}
