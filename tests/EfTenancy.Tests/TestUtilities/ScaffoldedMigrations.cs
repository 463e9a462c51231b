using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.EntityFrameworkCore.Migrations.Internal;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.Tests.TestUtilities;

/// <summary>What <c>dotnet ef migrations add</c> writes for a context, and what comes of it when it is compiled.</summary>
#pragma warning disable EF1001 // `dotnet ef` uses these too.
public sealed class ScaffoldedMigrations
{
    private readonly Lazy<Assembly> _assembly;

    public ScaffoldedMigrations(ModelContext context)
    {
        using var services = DesignTime.Services(context);
        using var scope = services.CreateScope();

        Migration = scope.ServiceProvider.GetRequiredService<IMigrationsScaffolder>().ScaffoldMigration("Initial", "Scaffolded");
        _assembly = new Lazy<Assembly>(() => DesignTime.Compile(Migration.MigrationCode, Migration.MetadataCode, Migration.SnapshotCode));
    }

    public ScaffoldedMigration Migration { get; }

    public IReadOnlyList<MigrationOperation> UpOperations
        => Create<Migration>().UpOperations;

    public IReadOnlyList<MigrationOperation> DownOperations
        => Create<Migration>().DownOperations;

    /// <summary>The operations that a second <c>dotnet ef migrations add</c> would find for this context.</summary>
    public IReadOnlyList<MigrationOperation> NextOperations(ModelContext context)
    {
        var snapshot = new SnapshotModelProcessor(new OperationReporter(new OperationReportHandler()), context.GetService<IModelRuntimeInitializer>())
            .Process(Create<ModelSnapshot>().Model)!;
        var differ = context.GetService<IMigrationsModelDiffer>();
        var (before, after) = (snapshot.GetRelationalModel(), context.DesignTimeModel.GetRelationalModel());

        var operations = differ.GetDifferences(before, after);
        Assert.Equal(operations.Count > 0, differ.HasDifferences(before, after));
        return operations;
    }

    /// <summary>How the operations are written.</summary>
    public static string CodeOf(ModelContext context, IReadOnlyList<MigrationOperation> operations, Action<string>? warn = null)
    {
        using var services = DesignTime.Services(context, warn);
        using var scope = services.CreateScope();
        var builder = new IndentedStringBuilder();
        scope.ServiceProvider.GetRequiredService<ICSharpMigrationOperationGenerator>().Generate("migrationBuilder", operations, builder);
        return builder.ToString();
    }

    private T Create<T>()
        => (T)Activator.CreateInstance(_assembly.Value.GetTypes().Single(t => t.IsSubclassOf(typeof(T))))!;
}
#pragma warning restore EF1001
