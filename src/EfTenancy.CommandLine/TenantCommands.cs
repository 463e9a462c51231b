using System.CommandLine;
using EfTenancy.Administration;
using EfTenancy.CommandLine.Internal;
using EfTenancy.CommandLine.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace EfTenancy.CommandLine;

/// <summary>The command <c>tenants</c>, to be mounted in an application's own <c>Program.cs</c>.</summary>
public static class TenantCommands
{
    /// <summary>
    ///     Makes the command <c>tenants</c> with <c>list</c>, <c>add</c>, <c>split</c>, <c>disable</c>, <c>enable</c>, <c>remove</c>, <c>delete-data</c> and
    ///     <c>repair</c>, <c>migrate</c>, and <c>move</c>, <c>export</c> and <c>import</c> of one tenant. Its exit code is 0, or 1 when something was refused or failed; what that is goes to the console.
    /// </summary>
    /// <typeparam name="TContext">The type of the context whose tenants they are.</typeparam>
    /// <param name="services">The application's services, with <c>AddTenantAdministration&lt;TContext&gt;()</c>.</param>
    /// <param name="console">Where to write and ask; the process's console by default.</param>
    /// <returns>The command, for a <see cref="RootCommand" /> or under any other one.</returns>
    public static Command Create<TContext>(IServiceProvider services, IAnsiConsole? console = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);

        var command = Create(services.GetRequiredService<ITenantAdministration<TContext>>, console);
        command.Add(MigrateCommand(services.GetRequiredService<ITenantMigrator<TContext>>, console ?? AnsiConsole.Console));
        foreach (var transfer in TransferCommands(services.GetRequiredService<ITenantMover<TContext>>, console ?? AnsiConsole.Console))
        {
            command.Add(transfer);
        }

        return command;
    }

    /// <summary>
    ///     Makes the command <c>tenants</c> with <c>list</c>, <c>add</c>, <c>disable</c>, <c>enable</c>, <c>remove</c>, <c>delete-data</c> and
    ///     <c>repair</c>, without those that need contexts of several databases.
    /// </summary>
    /// <param name="tenants">Gives the administration when a command runs.</param>
    /// <param name="console">Where to write and ask; the process's console by default.</param>
    /// <returns>The command, for a <see cref="RootCommand" /> or under any other one.</returns>
    public static Command Create(Func<ITenantAdministration> tenants, IAnsiConsole? console = null)
    {
        ArgumentNullException.ThrowIfNull(tenants);

        var runner = new TenantCommandRunner(tenants, console ?? AnsiConsole.Console);
        var ids = new Argument<string[]>("ids") { Description = CommandStrings.Ids, Arity = ArgumentArity.OneOrMore };
        var suffix = new Option<string?>("--suffix") { Description = CommandStrings.Suffix };
        var yes = new Option<bool>("--yes", "-y") { Description = CommandStrings.Yes };

        var list = new Command("list", CommandStrings.List);
        list.SetAction((_, cancellationToken) => runner.ListAsync(cancellationToken));

        var add = new Command("add", CommandStrings.Add) { ids, suffix };
        add.SetAction((given, cancellationToken) => runner.AddAsync(given.GetRequiredValue(ids), given.GetValue(suffix), cancellationToken));

        var ownSuffix = new Option<string?>("--suffix") { Description = CommandStrings.SplitSuffix };
        var split = new Command("split", CommandStrings.Split) { ids, ownSuffix };
        split.SetAction((given, cancellationToken) => runner.SplitAsync(given.GetRequiredValue(ids), given.GetValue(ownSuffix), cancellationToken));

        var disable = new Command("disable", CommandStrings.Disable) { ids };
        disable.SetAction((given, cancellationToken) => runner.DisableAsync(given.GetRequiredValue(ids), cancellationToken));

        var enable = new Command("enable", CommandStrings.Enable) { ids };
        enable.SetAction((given, cancellationToken) => runner.EnableAsync(given.GetRequiredValue(ids), cancellationToken));

        var remove = new Command("remove", CommandStrings.Remove) { ids, yes };
        remove.SetAction((given, cancellationToken) => runner.RemoveAsync(given.GetRequiredValue(ids), given.GetValue(yes), cancellationToken));

        var deleteData = new Command("delete-data", CommandStrings.DeleteData) { ids, yes };
        deleteData.SetAction((given, cancellationToken) => runner.DeleteDataAsync(given.GetRequiredValue(ids), given.GetValue(yes), cancellationToken));

        var repair = new Command("repair", CommandStrings.Repair);
        repair.SetAction((_, cancellationToken) => runner.RepairAsync(cancellationToken));

        return new Command("tenants", CommandStrings.Tenants) { list, add, split, disable, enable, remove, deleteData, repair };
    }

    private static Command MigrateCommand<TContext>(Func<ITenantMigrator<TContext>> migrator, IAnsiConsole console)
        where TContext : DbContext
    {
        var options = new TenantMigrationOptions();
        var parallel = new Option<int>("--parallel") { Description = CommandStrings.Parallel, DefaultValueFactory = _ => options.MaxParallelism };
        var canaries = new Option<int>("--canaries") { Description = CommandStrings.Canaries };
        var canary = new Option<string[]>("--canary") { Description = CommandStrings.Canary };
        var maxFailures = new Option<int>("--max-failures") { Description = CommandStrings.MaxFailures, DefaultValueFactory = _ => options.MaxFailures };
        var verify = new Option<bool>("--verify") { Description = CommandStrings.Verify };
        var list = new Option<bool>("--list") { Description = CommandStrings.ListMigrations };

        var migrate = new Command("migrate", CommandStrings.Migrate) { parallel, canaries, canary, maxFailures, verify, list };
        migrate.SetAction(
            (given, cancellationToken) =>
            {
                var runner = new MigrateCommandRunner<TContext>(migrator, console);
                return given.GetValue(list)
                    ? runner.ListAsync(cancellationToken)
                    : runner.MigrateAsync(
                        o =>
                        {
                            o.MaxParallelism = given.GetValue(parallel);
                            o.Canaries = given.GetValue(canaries);
                            o.MaxFailures = given.GetValue(maxFailures);
                            o.Verify = given.GetValue(verify);
                            foreach (var tenant in given.GetValue(canary) ?? [])
                            {
                                o.CanaryTenants.Add(tenant);
                            }
                        },
                        cancellationToken);
            });
        return migrate;
    }

    private static IEnumerable<Command> TransferCommands(Func<ITenantMover> mover, IAnsiConsole console)
    {
        var runner = new TransferCommandRunner(mover, console);
        var id = new Argument<string>("id") { Description = CommandStrings.Id };
        var directory = new Argument<string>("directory") { Description = CommandStrings.Directory };
        var database = new Option<string?>("--database") { Description = CommandStrings.Database };
        var schema = new Option<string?>("--schema") { Description = CommandStrings.Schema };
        var home = new Option<bool>("--home") { Description = CommandStrings.Home };

        var move = new Command("move", CommandStrings.Move) { id, database, schema, home };
        move.Validators.Add(
            given =>
            {
                if (given.GetValue(home) == (given.GetValue(database) is not null || given.GetValue(schema) is not null))
                {
                    given.AddError(CommandStrings.DestinationNeeded);
                }
            });
        move.SetAction(
            (given, cancellationToken) => runner.MoveAsync(
                given.GetRequiredValue(id), given.GetValue(database), given.GetValue(schema), cancellationToken));

        var export = new Command("export", CommandStrings.Export) { id, directory };
        export.SetAction(
            (given, cancellationToken) => runner.ExportAsync(given.GetRequiredValue(id), given.GetRequiredValue(directory), cancellationToken));

        var import = new Command("import", CommandStrings.Import) { id, directory };
        import.SetAction(
            (given, cancellationToken) => runner.ImportAsync(given.GetRequiredValue(id), given.GetRequiredValue(directory), cancellationToken));

        return [move, export, import];
    }
}
