using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfTenancy.Diagnostics;

/// <summary>The payload of <see cref="TenancyEventId.BulkInserted" />.</summary>
/// <param name="eventDefinition">The definition of the event.</param>
/// <param name="messageGenerator">Makes the message.</param>
/// <param name="context">The context.</param>
/// <param name="table">The table, with its schema if it has one.</param>
/// <param name="rows">The number of rows written.</param>
public class BulkInsertEventData(
    EventDefinitionBase eventDefinition,
    Func<EventDefinitionBase, EventData, string> messageGenerator,
    DbContext context,
    string table,
    long rows) : DbContextEventData(eventDefinition, messageGenerator, context)
{
    /// <summary>The table, with its schema if it has one.</summary>
    public virtual string Table { get; } = table;

    /// <summary>The number of rows written.</summary>
    public virtual long Rows { get; } = rows;
}
