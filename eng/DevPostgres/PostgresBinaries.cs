using System.Globalization;
using System.Text.RegularExpressions;

namespace DevPostgres;

/// <summary>The folder of this machine that holds <c>initdb</c> and <c>pg_ctl</c>, and how to run them.</summary>
internal sealed partial class PostgresBinaries
{
    private static readonly (string Root, string Versions)[] InstallationFolders =
    [
        ("/usr/lib/postgresql", "*"),
        ("/usr", "pgsql-*"),
        ("/opt/homebrew/opt", "postgresql*"),
        ("/usr/local/opt", "postgresql*"),
        ("/Applications/Postgres.app/Contents/Versions", "*"),
    ];

    private PostgresBinaries(string folder) => Folder = folder;

    public string Folder { get; }

    public static string SearchedPlaces { get; }
        = string.Join(", ", InstallationFolders.Select(x => $"{x.Root}/{x.Versions}/bin").Prepend("PATH"));

    /// <summary>PostgreSQL refuses to run as root.</summary>
    public static string? ServerUser { get; } = Environment.IsPrivilegedProcess ? "postgres" : null;

    public static PostgresBinaries? Find()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

        var installed = InstallationFolders
            .Where(x => Directory.Exists(x.Root))
            .SelectMany(x => Directory.GetDirectories(x.Root, x.Versions))
            .OrderByDescending(VersionInName)
            .Select(x => Path.Combine(x, "bin"));

        return path.Concat(installed)
            .Where(x => File.Exists(Path.Combine(x, "initdb")) && File.Exists(Path.Combine(x, "pg_ctl")))
            .Select(x => new PostgresBinaries(x))
            .FirstOrDefault();
    }

    public Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken = default)
    {
        program = Path.Combine(Folder, program);
        return ServerUser is null
            ? Command.RunAsync(program, arguments, cancellationToken)
            : Command.RunAsync("runuser", ["-u", ServerUser, "--", program, .. arguments], cancellationToken);
    }

    private static decimal VersionInName(string folder)
        => decimal.TryParse(VersionNumber().Match(Path.GetFileName(folder)).Value, CultureInfo.InvariantCulture, out var version)
            ? version
            : 0;

    [GeneratedRegex(@"\d+(\.\d+)?")]
    private static partial Regex VersionNumber();
}
