using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfTenancy.Diagnostics;

/// <summary>The payload of events about one tenant.</summary>
/// <param name="eventDefinition">The definition of the event.</param>
/// <param name="messageGenerator">Makes the message.</param>
/// <param name="context">The context.</param>
/// <param name="tenantId">The tenant; null if PostgreSQL did not tell.</param>
public class TenantEventData(
    EventDefinitionBase eventDefinition,
    Func<EventDefinitionBase, EventData, string> messageGenerator,
    DbContext context,
    string? tenantId) : DbContextEventData(eventDefinition, messageGenerator, context)
{
    /// <summary>The tenant; null if PostgreSQL did not tell.</summary>
    public virtual string? TenantId { get; } = tenantId;
}
