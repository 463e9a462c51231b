using System.Globalization;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>How much a test does: little by default, the full measure where the environment says so.</summary>
public static class Scale
{
    /// <summary><c>EFTENANCY_LOAD_TENANTS</c>: how many tenants come while others work; 200 is the full measure.</summary>
    public static int LoadTenants => Read("EFTENANCY_LOAD_TENANTS", 8);

    /// <summary><c>EFTENANCY_KILL_ROUNDS</c>: how many processes are killed; 50 is the full measure.</summary>
    public static int KillRounds => Read("EFTENANCY_KILL_ROUNDS", 4);

    /// <summary><c>EFTENANCY_MOVE_KILLS</c>: how many processes that move a tenant are killed; 20 is the full measure.</summary>
    public static int MoveKills => Read("EFTENANCY_MOVE_KILLS", 3);

    /// <summary><c>EFTENANCY_MOVE_ROWS</c>: how many rows that tenant has; 100000 is the full measure.</summary>
    public static int MoveRows => Read("EFTENANCY_MOVE_ROWS", 4000);

    /// <summary><c>EFTENANCY_SCHEMAS</c>: how many schemas are migrated; 300 is the full measure.</summary>
    public static int Schemas => Read("EFTENANCY_SCHEMAS", 12);

    /// <summary><c>EFTENANCY_TENANT_DATABASES</c>: how many databases share a few connections; 200 is the full measure.</summary>
    public static int TenantDatabases => Read("EFTENANCY_TENANT_DATABASES", 12);

    /// <summary><c>EFTENANCY_SPLIT_ROWS</c>: how many rows each tenant has in each table that is split while others work.</summary>
    public static int SplitRows => Read("EFTENANCY_SPLIT_ROWS", 2_000);

    private static int Read(string variable, int little)
        => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : little;
}
