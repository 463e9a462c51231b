using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>Remembers the tenant property of the type that was asked for last: entities mostly come many of a type.</summary>
public sealed class TenantPropertyOfType
{
    private IEntityType? _entityType;
    private IProperty? _property;

    public IProperty? Find(IEntityType entityType)
    {
        if (entityType != _entityType)
        {
            _property = entityType.FindTenantProperty();
            _entityType = entityType;
        }

        return _property;
    }
}
