using EfTenancy.Storage;

namespace EfTenancy.Administration;

/// <summary>The migrations of one database or schema.</summary>
/// <param name="Destination">Where.</param>
/// <param name="TenantIds">Whose it is; none for what all tenants share.</param>
/// <param name="Outcome">What was done, or is to be done.</param>
/// <param name="Before">The last migration that it had; null for none.</param>
/// <param name="After">The last migration that it has now; null for none.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Error">Why it failed; null if it did not.</param>
public sealed record TenantMigrationResult(
    TenantDestination Destination,
    IReadOnlyList<string> TenantIds,
    TenantMigrationOutcome Outcome,
    string? Before,
    string? After,
    TimeSpan Duration,
    Exception? Error);

/// <summary>What became of one database or schema.</summary>
public enum TenantMigrationOutcome
{
    /// <summary>It has all migrations already.</summary>
    UpToDate,

    /// <summary>It lacks migrations; it was not its turn, or nobody asked to migrate it.</summary>
    Behind,

    /// <summary>It was migrated.</summary>
    Migrated,

    /// <summary>It failed, or has migrations that the application does not know.</summary>
    Failed,
}
