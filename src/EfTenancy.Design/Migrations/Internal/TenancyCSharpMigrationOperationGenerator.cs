using EfTenancy.Design.Internal;
using EfTenancy.Metadata;
using EfTenancy.Metadata.Internal;
using EfTenancy.Migrations.Operations;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Design.Migrations.Internal;

/// <summary>Writes tenant operations into migrations as the calls that a user would write.</summary>
#pragma warning disable EF1001 // There is no public way to tell whoever runs `dotnet ef` anything.
public class TenancyCSharpMigrationOperationGenerator(CSharpMigrationOperationGeneratorDependencies dependencies, IOperationReporter reporter)
#pragma warning restore EF1001
    : CSharpMigrationOperationGenerator(dependencies)
{
    private ICSharpHelper Code
        => Dependencies.CSharpHelper;

    public override void Generate(string builderName, IReadOnlyList<MigrationOperation> operations, IndentedStringBuilder builder)
    {
        var conversion = operations.TakeWhile(o => o is not PartitionExistingTableOperation).Count();
        if (conversion == operations.Count || operations.Take(conversion).All(IsRepeatable))
        {
            base.Generate(builderName, operations, builder);
            return;
        }

        base.Generate(builderName, [.. operations.Take(conversion)], builder);
        builder.AppendLine().AppendLine().Append("// ").AppendLine(TenancyStrings.ConversionBesideOtherSteps);
        base.Generate(builderName, [.. operations.Skip(conversion)], builder);
#pragma warning disable EF1001 // As above.
        reporter.WriteWarning(TenancyStrings.ConversionBesideOtherSteps);
#pragma warning restore EF1001
    }

    private static bool IsRepeatable(MigrationOperation operation)
        => operation is EnsureTenantRegistryOperation;

    // EF finds its overloads by dynamic dispatch on its own class and hands all other operations here.
    protected override void Generate(MigrationOperation operation, IndentedStringBuilder builder)
    {
        switch (operation)
        {
            case CreateTenantPartitionOperation create:
                Generate(create, builder);
                break;

            case DropTenantPartitionOperation drop:
                Call(
                    builder,
                    nameof(TenancyMigrationBuilderExtensions.DropTenantPartition),
                    [("table", drop.Table), ("suffix", drop.Suffix), ("schema", drop.Schema)]);
                break;

            case CreateRegisteredTenantPartitionsOperation create:
                Call(
                    builder,
                    nameof(TenancyMigrationBuilderExtensions.CreateRegisteredTenantPartitions),
                    [("table", create.Table), ("registrySchema", create.RegistrySchema), ("schema", create.Schema)]);
                break;

            case RegisterTenantPartitionsOperation register:
                Call(
                    builder,
                    nameof(TenancyMigrationBuilderExtensions.RegisterTenantPartitions),
                    [
                        ("table", register.Table),
                        ("registrySchema", register.RegistrySchema),
                        ("partitioning", register.Partitioning),
                        ("schema", register.Schema),
                        ("formerRegistrySchema", register.FormerRegistrySchema),
                    ]);
                break;

            case KeepTenantPartitionsOperation keep:
                Call(
                    builder,
                    nameof(TenancyMigrationBuilderExtensions.KeepTenantPartitions),
                    [("table", keep.Table), ("partitioning", keep.Partitioning), ("schema", keep.Schema)]);
                break;

            case EnsureTenantRegistryOperation ensure:
                Call(builder, nameof(TenancyMigrationBuilderExtensions.EnsureTenantRegistry), [("schema", ensure.Schema)]);
                break;

            case DropTenantRegistryOperation drop:
                Call(builder, nameof(TenancyMigrationBuilderExtensions.DropTenantRegistry), [("schema", drop.Schema)]);
                break;

            case PartitionExistingTableOperation partition:
                Call(
                    builder,
                    nameof(TenancyMigrationBuilderExtensions.PartitionExistingTable),
                    [
                        ("table", partition.Table),
                        ("column", partition.Column),
                        ("partitioning", partition.Partitioning),
                        ("firstPartition", partition.FirstPartition),
                        ("schema", partition.Schema),
                    ]);
                break;

            case RebuildTableByCopyingOperation rebuild:
                Call(
                    builder,
                    nameof(TenancyMigrationBuilderExtensions.RebuildTableByCopying),
                    [
                        ("table", rebuild.Table),
                        ("column", rebuild.Column),
                        ("collation", rebuild.Collation),
                        ("partitioning", rebuild.Partitioning),
                        ("schema", rebuild.Schema),
                    ]);
                break;

            default:
                base.Generate(operation, builder);
                break;
        }
    }

    private void Generate(CreateTenantPartitionOperation operation, IndentedStringBuilder builder)
    {
        var partition = operation.Partition;

        Call(
            builder,
            partition.IsDefault
                ? nameof(TenancyMigrationBuilderExtensions.CreateDefaultTenantPartition)
                : nameof(TenancyMigrationBuilderExtensions.CreateTenantPartition),
            [
                ("table", operation.Table),
                ("suffix", partition.Suffix),
                ("values", partition.Values),
                ("from", partition.From),
                ("to", partition.To),
                ("modulus", partition.Modulus),
                ("remainder", partition.Remainder),
                ("schema", operation.Schema),
            ]);
    }

    private void Call(IndentedStringBuilder builder, string method, IEnumerable<(string Name, object? Value)> arguments)
        => builder
            .Append(".")
            .Append(method)
            .Append("(")
            .AppendJoin(arguments.Where(a => a.Value is not null).Select(a => $"{a.Name}: {Literal(a.Value!)}"))
            .Append(")");

    private string Literal(object value)
        => value switch
        {
            IEnumerable<string> values => $"[{string.Join(", ", values.Select(v => Code.Literal(v)))}]",
            TenantPartitioning partitioning => "x => x" + Code.Fragment(TenantPartitioningCode.Calls(partitioning)),
            _ => Code.UnknownLiteral(value),
        };

    protected override void Annotations(IEnumerable<Annotation> annotations, IndentedStringBuilder builder)
    {
        var all = annotations.ToList();
        var strategy = all.Find(a => a.Name == TenancyAnnotationNames.PartitionStrategy);
        var column = all.Find(a => a.Name == TenancyAnnotationNames.PartitionColumn);

        if (strategy is not null && column is not null)
        {
            builder
                .AppendLine()
                .Append(".")
                .Append(nameof(TenancyMigrationBuilderExtensions.PartitionByTenant))
                .Append("(")
                .Append(Code.Literal((Enum)strategy.Value!))
                .Append(", ")
                .Append(Code.Literal((string)column.Value!))
                .Append(")");
        }

        base.Annotations(all.Where(a => a != strategy && a != column), builder);
    }
}
