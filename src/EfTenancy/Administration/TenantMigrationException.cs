using EfTenancy.Properties;

namespace EfTenancy.Administration;

/// <summary>Databases or schemas failed in <see cref="ITenantMigrator{TContext}.MigrateAsync" />; the message names each. The same call does what is left.</summary>
public class TenantMigrationException : AggregateException
{
    /// <summary>Creates the exception with EfTenancy's message.</summary>
    /// <param name="results">What was done, the failed ones included.</param>
    public TenantMigrationException(IReadOnlyList<TenantMigrationResult> results)
        : base(TenancyStrings.TenantMigrationFailed(results), results.Select(r => r.Error).OfType<Exception>())
        => Results = results;

    /// <summary>What became of each database and schema.</summary>
    public IReadOnlyList<TenantMigrationResult> Results { get; }

    // AggregateException appends the messages of its inner exceptions, which are in the message already.
    /// <inheritdoc />
    public override string Message
        => TenancyStrings.TenantMigrationFailed(Results);
}
