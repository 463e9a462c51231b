namespace EfTenancy.Update.Internal;

/// <summary>A row to be, of one table or a piece of it in each of several: an entity with the parts that share its row.</summary>
public sealed class BulkInsertRow(BulkInsertRowType type, object entity, string? tenantId, BulkInsertRow? owner = null)
{
    public BulkInsertRowType Type { get; private set; } = type;

    public object Entity { get; private set; } = entity;

    public string? TenantId { get; private set; } = tenantId;

    /// <summary>The row that this one is a dependent of, if it is that of an owned entity with a table of its own.</summary>
    public BulkInsertRow? Owner { get; } = owner;

    /// <summary>What was generated for the row before it is written, by <see cref="BulkInsertGeneratedProperty.Slot" />.</summary>
    public object?[] Generated { get; private set; } = type.NewGenerated();

    /// <summary>Makes it the row of another entity: streamed rows are written one after the other, and need no more than one.</summary>
    public void Become(BulkInsertRowType type, object entity, string? tenantId)
    {
        if (type != Type)
        {
            Type = type;
            Generated = type.NewGenerated();
        }
        else if (Generated.Length > 0)
        {
            Array.Clear(Generated);
        }

        Entity = entity;
        TenantId = tenantId;
    }
}
