using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfTenancy.Diagnostics;

/// <summary>The payload of <see cref="TenancyEventId.AcrossTenantsEntered" />.</summary>
/// <param name="eventDefinition">The definition of the event.</param>
/// <param name="messageGenerator">Makes the message.</param>
/// <param name="context">The context.</param>
/// <param name="reason">The reason given to <c>AcrossTenants</c>.</param>
public class AcrossTenantsEventData(
    EventDefinitionBase eventDefinition,
    Func<EventDefinitionBase, EventData, string> messageGenerator,
    DbContext context,
    string reason) : DbContextEventData(eventDefinition, messageGenerator, context)
{
    /// <summary>The reason given to <c>AcrossTenants</c>.</summary>
    public virtual string Reason { get; } = reason;
}
