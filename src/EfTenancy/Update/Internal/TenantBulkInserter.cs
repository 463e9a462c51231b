using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Update.Internal;

/// <summary>
///     Brings entities of one type into their tables by binary COPY: streamed into one where that does, else in batches, each table by table.
/// </summary>
public sealed class TenantBulkInserter<TEntity>
    where TEntity : class
{
    // Entities held at a time where they cannot be streamed.
    private const int BatchSize = 1000;

    private readonly DbContext _context;
    private readonly CurrentTenant _current;
    private readonly BulkInsertPlan _plan;
    private readonly BulkInsertGenerator _generator;
    private readonly bool _isStreamed;
    private readonly Func<string, string> _normalize;
    private readonly Dictionary<ITable, long> _rows = [];
    private readonly Dictionary<IColumn, bool> _keys = [];

    private TenantBulkInserter(DbContext context, bool returnGeneratedValues)
    {
        _context = context;
        _current = context.GetService<CurrentTenant>();
        _plan = BulkInsertPlan.For(context, typeof(TEntity));
        _generator = new BulkInsertGenerator(context, _plan, returnGeneratedValues);
        _isStreamed = _plan.IsStreamed(returnGeneratedValues);
        _normalize = tenantId => _current.Normalize(tenantId, nameof(tenantId));
    }

    public static TenantBulkInserter<TEntity> For(TenancyFacade tenancy, bool returnGeneratedValues)
    {
        ArgumentNullException.ThrowIfNull(tenancy);

        return new TenantBulkInserter<TEntity>(tenancy.Context, returnGeneratedValues);
    }

    private IDiagnosticsLogger<DbLoggerCategory.Update> Logger
        => _context.GetService<IDiagnosticsLogger<DbLoggerCategory.Update>>();

    public async Task<long> InsertAsync(
        IAsyncEnumerable<TEntity> entities,
        TenantOfRows<TEntity> tenantOfRows,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entities);
        if (!_plan.IsMultiTenanted && tenantOfRows.IsExplicit)
        {
            throw new InvalidOperationException(TenancyStrings.EntityIsNotMultiTenanted(_plan.EntityType.DisplayName()));
        }

        Func<TEntity, long, string?> tenantOf = _plan.IsMultiTenanted ? tenantOfRows.Resolve(_current) : (_, _) => null;
        var enumerator = entities.GetAsyncEnumerator(cancellationToken);
        await using var _ = enumerator.ConfigureAwait(false);
        if (!await enumerator.MoveNextAsync().ConfigureAwait(false))
        {
            return 0;
        }

        long count;
        try
        {
            var transaction = await BulkInsertTransaction.BeginAsync(_context, !_isStreamed, cancellationToken).ConfigureAwait(false);
            await using var __ = transaction.ConfigureAwait(false);
            count = _isStreamed
                ? await StreamAsync(enumerator, tenantOf, tenantOfRows, cancellationToken).ConfigureAwait(false)
                : await InsertInBatchesAsync(enumerator, tenantOf, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException exception)
            when ((_context.GetService<IRelationalConnection>() as TenancyRelationalConnection)?.MeaningOf(exception) is { } failure)
        {
            throw failure;
        }

        foreach (var (table, rows) in _rows)
        {
            Logger.BulkInserted(_context, table.SchemaQualifiedName, rows);
        }

        return count;
    }

    private async Task<long> StreamAsync(
        IAsyncEnumerator<TEntity> entities,
        Func<TEntity, long, string?> tenantOf,
        TenantOfRows<TEntity> tenantOfRows,
        CancellationToken cancellationToken)
    {
        var row = RowOf(entities.Current, tenantOf, 1);
        RefuseOtherTenant(row);
        _generator.Generate(row);
        var copy = new BulkInsertCopy(_plan.Tables[0], row);
        await using var _ = copy.ConfigureAwait(false);
        await copy.BeginAsync(_context, cancellationToken).ConfigureAwait(false);

        return await WriteAsync(
            copy,
            async () =>
            {
                await copy.WriteAsync(row, cancellationToken).ConfigureAwait(false);
                for (long number = 2; await entities.MoveNextAsync().ConfigureAwait(false); number++)
                {
                    var entity = entities.Current;
                    row.Become(_plan.TypeOf(entity), entity, tenantOf(entity, number));
                    RefuseOtherTenant(row);
                    _generator.Generate(row);
                    if (!copy.Takes(row, out var differing))
                    {
                        throw MixedKeys(row, differing!.Name);
                    }

                    await copy.WriteAsync(row, cancellationToken).ConfigureAwait(false);
                }
            },
            tenantOfRows.FirstAt,
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<long> InsertInBatchesAsync(
        IAsyncEnumerator<TEntity> entities,
        Func<TEntity, long, string?> tenantOf,
        CancellationToken cancellationToken)
    {
        long count = 0;
        var batch = new List<BulkInsertRow>();
        var hasMore = true;
        while (hasMore)
        {
            batch.Clear();
            for (var i = 0; i < BatchSize && hasMore; i++)
            {
                Add(RowOf(entities.Current, tenantOf, ++count), batch);
                hasMore = await entities.MoveNextAsync().ConfigureAwait(false);
            }

            await _generator.GenerateAsync(batch, cancellationToken).ConfigureAwait(false);
            foreach (var table in _plan.Tables)
            {
                await CopyAsync(table, batch.Where(r => table.Has(r.Type)).ToList(), cancellationToken).ConfigureAwait(false);
            }
        }

        return count;
    }

    private void Add(BulkInsertRow row, List<BulkInsertRow> batch)
    {
        RefuseOtherTenant(row);
        batch.Add(row);
        foreach (var ownedRow in row.Type.Owned.SelectMany(o => o.Of(row)))
        {
            Add(ownedRow, batch);
        }
    }

    // Rows that leave other columns to the database than the first one go into a COPY of their own.
    private async Task CopyAsync(BulkInsertTable table, List<BulkInsertRow> rows, CancellationToken cancellationToken)
    {
        while (rows.Count > 0)
        {
            var copy = new BulkInsertCopy(table, rows[0]);
            await using var disposal = copy.ConfigureAwait(false);
            RefuseMixedKeys(copy, rows[0]);
            var taken = rows.ToLookup(r => copy.Takes(r, out var _));
            var written = taken[true].ToList();
            rows = [.. taken[false]];

            await copy.BeginAsync(_context, cancellationToken).ConfigureAwait(false);
            await WriteAsync(
                copy,
                async () =>
                {
                    foreach (var row in written)
                    {
                        await copy.WriteAsync(row, cancellationToken).ConfigureAwait(false);
                    }
                },
                number => number is { } n && n <= written.Count ? written[(int)n - 1].TenantId : null,
                cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<long> WriteAsync(
        BulkInsertCopy copy,
        Func<Task> writeRows,
        Func<long?, string?> tenantOfRow,
        CancellationToken cancellationToken)
    {
        try
        {
            await writeRows().ConfigureAwait(false);
            var rows = await copy.CompleteAsync(cancellationToken).ConfigureAwait(false);
            _rows[copy.Table] = _rows.GetValueOrDefault(copy.Table) + rows;
            return rows;
        }
        catch (PostgresException exception) when (MissingPartition.In(exception) is { } missing)
        {
            var unknown = missing.ToUnknownTenant(tenantOfRow(missing.CopiedRow), _context.Model);
            Logger.UnknownTenantRefused(_context, unknown);
            throw unknown;
        }
    }

    private BulkInsertRow RowOf(TEntity entity, Func<TEntity, long, string?> tenantOf, long number)
        => new(_plan.TypeOf(entity), entity, tenantOf(entity, number));

    private void RefuseMixedKeys(BulkInsertCopy copy, BulkInsertRow row)
    {
        foreach (var (column, isWritten) in copy.Keys)
        {
            if (!_keys.TryAdd(column, isWritten) && _keys[column] != isWritten)
            {
                throw MixedKeys(row, column.Name);
            }
        }
    }

    private static InvalidOperationException MixedKeys(BulkInsertRow row, string property)
        => new(TenancyStrings.BulkInsertMixedKeys(row.Type.EntityType.DisplayName(), property));

    private void RefuseOtherTenant(BulkInsertRow row)
    {
        if (row.Type.OtherTenant(row, _normalize) is not { } named)
        {
            return;
        }

        var message = TenancyStrings.CrossTenantWrite(
            row.Type.EntityType.DisplayName(), row.Type.Tables[0].SchemaQualifiedName, named, row.TenantId!);
        Logger.CrossTenantWriteRefused(_context, named, message);
        throw new CrossTenantWriteException(message, named, row.TenantId!);
    }
}
