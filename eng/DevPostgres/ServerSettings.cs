namespace DevPostgres;

/// <summary>What a throw-away server does differently. All else stays at PostgreSQL's defaults: the benchmarks measure against those.</summary>
internal static class ServerSettings
{
    public static readonly string[] All =
    [
        // Each test database has a connection pool of its own.
        "max_connections=200",
        // Nobody needs this data after a crash, and not waiting for the disk makes tests several times faster.
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
    ];

    // macOS has no C.UTF-8. Both sort by code point, the same on every machine.
    public static readonly string[] InitDb =
        ["--encoding=UTF8", OperatingSystem.IsMacOS() ? "--locale=C" : "--locale=C.UTF-8"];
}
