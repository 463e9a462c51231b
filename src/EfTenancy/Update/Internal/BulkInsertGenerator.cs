using EfTenancy.Metadata.Internal;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Npgsql.EntityFrameworkCore.PostgreSQL.ValueGeneration;

namespace EfTenancy.Update.Internal;

/// <summary>
///     Generates the values that rows have before they are written: EF's own by its generators, the database's reserved from its sequences
///     and defaults.
/// </summary>
public sealed class BulkInsertGenerator(DbContext context, BulkInsertPlan plan, bool returnGeneratedValues)
{
    private readonly IReadOnlyDictionary<BulkInsertGeneratedProperty, string> _reserved = plan.Reserved(returnGeneratedValues);
    private readonly Dictionary<BulkInsertGeneratedProperty, ValueGenerator> _generators = [];

    /// <summary>Whether a generator looks neither at the entity nor at the database.</summary>
    public static bool IsPure(ValueGenerator generator)
        => generator is GuidValueGenerator
            or SequentialGuidValueGenerator
            or StringValueGenerator
            or BinaryValueGenerator
            or NpgsqlSequentialGuidValueGenerator
            or NpgsqlSequentialStringValueGenerator;

    /// <summary>Generates what needs no database, for a row that is streamed.</summary>
    public void Generate(BulkInsertRow row)
    {
        var generated = row.Type.Generated;
        for (var i = 0; i < generated.Count; i++)
        {
            if (generated[i] is { IsByApplication: true } property && property.IsWanted(row))
            {
                Set(row, property, GeneratorOf(property).Next(null!));
            }
        }

        if (returnGeneratedValues)
        {
            row.Type.FixUp(row);
        }
    }

    /// <summary>Generates everything for a batch of rows.</summary>
    public async Task GenerateAsync(IReadOnlyList<BulkInsertRow> rows, CancellationToken cancellationToken)
    {
        foreach (var type in rows.GroupBy(r => r.Type))
        {
            foreach (var property in type.Key.Generated)
            {
                var wanting = property.IsByApplication || _reserved.ContainsKey(property) ? type.Where(property.IsWanted).ToList() : [];
                if (property.IsByApplication)
                {
                    await GenerateAsync(property, wanting, cancellationToken).ConfigureAwait(false);
                }
                else if (wanting.Count > 0)
                {
                    await ReserveAsync(property, wanting, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        foreach (var row in returnGeneratedValues ? rows : [])
        {
            row.Type.FixUp(row);
        }
    }

    private async Task GenerateAsync(BulkInsertGeneratedProperty property, List<BulkInsertRow> rows, CancellationToken cancellationToken)
    {
        var generator = GeneratorOf(property);
        foreach (var row in rows)
        {
            Set(row, property, await generator.NextAsync(property.IsPure ? null! : EntryOf(row), cancellationToken).ConfigureAwait(false));
        }
    }

    private async Task ReserveAsync(BulkInsertGeneratedProperty property, List<BulkInsertRow> rows, CancellationToken cancellationToken)
    {
        var command = context.GetService<IRawSqlCommandBuilder>().Build($"SELECT {_reserved[property]} FROM generate_series(1, {rows.Count})");
        var reader = await command.ExecuteReaderAsync(
            new RelationalCommandParameterObject(
                context.GetService<IRelationalConnection>(),
                parameterValues: null,
                readerColumns: null,
                context,
                context.GetService<IRelationalCommandDiagnosticsLogger>()),
            cancellationToken).ConfigureAwait(false);
        await using var _ = reader.ConfigureAwait(false);

        foreach (var row in rows)
        {
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            Set(row, property, property.Property.GetReaderFieldValue(reader, 0, detailedErrorsEnabled: false));
        }
    }

    private void Set(BulkInsertRow row, BulkInsertGeneratedProperty property, object? value)
    {
        row.Generated[property.Slot] = value;
        if (returnGeneratedValues)
        {
            property.SetIntoEntity(row);
        }
    }

    private ValueGenerator GeneratorOf(BulkInsertGeneratedProperty property)
    {
        if (!_generators.TryGetValue(property, out var generator))
        {
            context.GetService<IValueGeneratorSelector>().TrySelect(property.Property, property.Property.DeclaringType, out generator);
            _generators.Add(property, generator!);
        }

        return generator!;
    }

#pragma warning disable EF1001 // A generator may look at the entity's entry; one that the context tracked would stay there.
    private EntityEntry EntryOf(BulkInsertRow row)
    {
        var entry = new InternalEntityEntry(context.GetService<IStateManager>(), row.Type.EntityType, row.Entity);
        if (row.Type.EntityType.FindTenantProperty() is { } tenant && tenant.IsShadowProperty())
        {
            entry[tenant] = TenantIdConverter.For(tenant).ToValue(row.TenantId!);
        }

        return new EntityEntry(entry);
    }
#pragma warning restore EF1001
}
