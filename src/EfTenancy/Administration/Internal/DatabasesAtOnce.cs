using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>How many databases are asked at once for something that takes no time in each.</summary>
public static class DatabasesAtOnce
{
    private const int Most = 8;

    /// <param name="sources">Whose connections are used; null where all is in one database.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    public static ParallelOptions Options(TenantDataSources? sources, CancellationToken cancellationToken)
        => new()
        {
            // Who waits in vain for another's connection would be taken for one that does not answer.
            MaxDegreeOfParallelism = Math.Min(Most, sources?.Budget.Ceiling ?? Most),
            CancellationToken = cancellationToken,
        };
}
