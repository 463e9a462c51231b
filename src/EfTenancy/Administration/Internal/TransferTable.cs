namespace EfTenancy.Administration.Internal;

/// <summary>A table whose rows of a tenant are copied, as one place has it.</summary>
/// <param name="Key">Its name, the same in every place: with its schema unless that is the session's.</param>
/// <param name="Oid">PostgreSQL's number of it.</param>
/// <param name="Name">Its name in SQL.</param>
/// <param name="Condition">What tells the tenant's rows, a WHERE or nothing.</param>
/// <param name="Columns">The columns that hold something of their own, in the order in which they are copied.</param>
public sealed record TransferTable(string Key, uint Oid, string Name, string Condition, IReadOnlyList<TransferColumn> Columns)
{
    /// <summary>Whether it is in another schema than the session's.</summary>
    public bool IsQualified { get; init; }

    /// <summary>The tenant's partition, if it is nobody else's.</summary>
    public string? OwnPartition { get; init; }
}

/// <summary>A column of a table that is copied.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, the same in every place.</param>
/// <param name="IsBinary">Whether the binary form of a value means the same in another database.</param>
public sealed record TransferColumn(string Name, string Type, bool IsBinary);

/// <summary>What a place has of a tenant in one table.</summary>
public sealed record TableProof(long Rows, string Checksum);

/// <summary>What was copied of a table, to compare what is deleted with.</summary>
/// <param name="Table">The table's key.</param>
/// <param name="Columns">The columns, as the checksum has them.</param>
/// <param name="Proof">Count and checksum.</param>
public sealed record CopiedTable(string Table, IReadOnlyList<string> Columns, TableProof Proof);
