namespace EfTenancy.CommandLine.Properties;

/// <summary>Every text that the commands show.</summary>
internal static class CommandStrings
{
    public const string Tenants = "The tenants of this application.";
    public const string List = "Lists the tenants with state, partitions, estimated rows and size.";
    public const string Add = "Adds tenants, each with a partition in every table. Those that are there already stay as they are.";
    public const string Split = "Moves tenants out of the partitions that they share into their own, while the application works.";
    public const string SplitSuffix = "One suffix for the new partitions of all these tenants, which then share them.";
    public const string Disable = "Makes the application refuse tenants. Their rows stay.";
    public const string Enable = "Lets disabled tenants in again.";
    public const string Remove = "Removes tenants for good, with all their rows.";
    public const string DeleteData = "Deletes all rows of tenants, and leaves the tenants.";
    public const string Repair = "Finds and mends what was left half done, and reports what nobody registered.";
    public const string Migrate = "Migrates the databases and schemas of all tenants, and what they share before. A second run does what is left.";
    public const string Parallel = "How many are migrated at once.";
    public const string Canaries = "How many are migrated first; if one of them fails, the others are not begun.";
    public const string Canary = "A tenant that is among the first. May be repeated.";
    public const string MaxFailures = "After this many failures no further one is begun.";
    public const string Verify = "Ask each database which migrations it has, instead of believing the journal.";
    public const string ListMigrations = "Only show who has which migration.";
    public const string Move = "Moves a tenant with all its rows, which are read only meanwhile. The same command goes on after a crash.";
    public const string Export = "Writes the rows of a tenant into files.";
    public const string Import = "Brings the rows of exported files to the place where the tenant is.";
    public const string Id = "The tenant's id.";
    public const string Directory = "The directory of the files: empty or new for an export.";
    public const string Database = "The name of the database that it goes to; the home database by default.";
    public const string Schema = "The schema that it goes to; the tables that tenants share by default.";
    public const string Home = "It goes to the shared tables of the home database.";
    public const string DestinationNeeded = "Say where the tenant goes: --database, --schema or both, or --home.";
    public const string Ids = "The tenants' ids.";
    public const string Suffix = "One suffix for the partitions of all these tenants, which then share them.";
    public const string Yes = "Do not ask.";

    public const string NoTenants = "No tenant is registered.";
    public const string NothingChanged = "Nothing was to be done.";
    public const string NothingToRepair = "All is well.";
    public const string NotConfirmed = "Nothing was changed.";
    public const string Mended = "mended";
    public const string Left = "left";

    public const string AllShare = "(shared)";

    public static string Migrated(int migrated, int upToDate)
        => $"{migrated} migrated, {upToDate} were up to date.";

    public static string ConfirmRemove(IEnumerable<string> ids)
        => $"Remove {string.Join(", ", ids)} with all rows?";

    public static string ConfirmDeleteData(IEnumerable<string> ids)
        => $"Delete all rows of {string.Join(", ", ids)}?";

    public static string CannotAsk(string command)
        => $"'{command}' loses rows, and nobody can be asked here. Add --yes.";

    public static string Added(IEnumerable<string> ids)
        => $"Added: {string.Join(", ", ids)}.";

    public static string Removed(IEnumerable<string> ids)
        => $"Removed: {string.Join(", ", ids)}.";

    public static string Emptied(IEnumerable<string> ids)
        => $"Emptied: {string.Join(", ", ids)}.";

    public static string Disabled(IEnumerable<string> ids)
        => $"Disabled: {string.Join(", ", ids)}.";

    public static string Enabled(IEnumerable<string> ids)
        => $"Enabled: {string.Join(", ", ids)}.";

    public static string Copied(long rows, int tables)
        => $"{rows} rows copied in {tables} tables.";

    public static string Changed(int partitions, long rows, int tables)
        => $"{partitions} partitions changed and {rows} rows deleted in {tables} tables.";
}
