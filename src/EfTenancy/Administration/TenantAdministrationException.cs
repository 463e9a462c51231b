using EfTenancy.Properties;

namespace EfTenancy.Administration;

/// <summary>
///     Tables failed in a call of <see cref="ITenantAdministration" />; the message names each with its reason. The same call, or
///     <see cref="ITenantAdministration.RepairAsync" />, goes on where it ended.
/// </summary>
public class TenantAdministrationException : AggregateException
{
    /// <summary>Creates the exception with EfTenancy's message.</summary>
    /// <param name="tables">What was done in each table, the failed ones included.</param>
    public TenantAdministrationException(IReadOnlyList<TenantTableResult> tables)
        : base(
            TenancyStrings.TenantAdministrationFailed(tables.Where(t => t.Error is not null).Select(t => (t.Table, t.Error!.Message))),
            tables.Select(t => t.Error).OfType<Exception>())
        => Tables = tables;

    /// <summary>What was done in each table that the call came to.</summary>
    public IReadOnlyList<TenantTableResult> Tables { get; }

    // AggregateException appends the messages of its inner exceptions, which are in the message already.
    /// <inheritdoc />
    public override string Message
        => TenancyStrings.TenantAdministrationFailed(Tables.Where(t => t.Error is not null).Select(t => (t.Table, t.Error!.Message)));
}
