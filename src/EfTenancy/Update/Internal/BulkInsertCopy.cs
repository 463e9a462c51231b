using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Update.Internal;

/// <summary>One binary COPY into one table, of the columns that its first row has values for.</summary>
public sealed class BulkInsertCopy : IAsyncDisposable
{
    private readonly BulkInsertTable _table;
    private readonly bool[] _isWritten;
    private NpgsqlBinaryImporter? _importer;
    private BulkInsertRowType? _type;
    private BulkInsertCell[] _cells = [];
    private (BulkInsertCell Cell, bool IsWritten)[] _leavable = [];

    public BulkInsertCopy(BulkInsertTable table, BulkInsertRow first)
    {
        _table = table;
        _isWritten = [.. table.CellsOf(first.Type).Select(c => c.HasValue(first))];
    }

    public ITable Table
        => _table.Table;

    /// <summary>The keys of the database that this COPY leaves to it or not, by column.</summary>
    public IEnumerable<(IColumn Column, bool IsWritten)> Keys
        => _table.Columns.Select((c, i) => (c, _isWritten[i])).Where(c => c.c.Table.PrimaryKey?.Columns.Contains(c.c) == true);

    public async Task BeginAsync(DbContext context, CancellationToken cancellationToken)
    {
        var sql = context.GetService<ISqlGenerationHelper>();
        var names = _table.Columns.Where((_, i) => _isWritten[i]).Select(c => sql.DelimitIdentifier(c.Name));
        var connection = (NpgsqlConnection)context.Database.GetDbConnection();
        _importer = await connection.BeginBinaryImportAsync(
            $"COPY {sql.DelimitIdentifier(Table.Name, Table.Schema)} ({string.Join(", ", names)}) FROM STDIN (FORMAT BINARY)",
            cancellationToken).ConfigureAwait(false);

        if (context.Database.GetCommandTimeout() is { } seconds)
        {
            // PostgreSQL checks foreign keys at the end of a COPY, which may take longer than the rows themselves.
            _importer.Timeout = seconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
        }
    }

    /// <summary>Whether the row has values for the columns of this COPY and for no others; otherwise the property that differs.</summary>
    public bool Takes(BulkInsertRow row, out IProperty? differing)
    {
        Turn(row.Type);
        foreach (var (cell, isWritten) in _leavable)
        {
            if (cell.HasValue(row) != isWritten)
            {
                differing = cell.Generated;
                return false;
            }
        }

        differing = null;
        return true;
    }

    public async ValueTask WriteAsync(BulkInsertRow row, CancellationToken cancellationToken)
    {
        Turn(row.Type);
        var importer = _importer!;
        await importer.StartRowAsync(cancellationToken).ConfigureAwait(false);
        foreach (var cell in _cells)
        {
            var write = cell.Write(importer, row, cancellationToken);
            if (!write.IsCompletedSuccessfully)
            {
                await write.ConfigureAwait(false);
            }
        }
    }

    public async Task<long> CompleteAsync(CancellationToken cancellationToken)
        => (long)await _importer!.CompleteAsync(cancellationToken).ConfigureAwait(false);

    public ValueTask DisposeAsync()
        => _importer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Turn(BulkInsertRowType type)
    {
        if (type == _type)
        {
            return;
        }

        var cells = _table.CellsOf(type);
        _type = type;
        _cells = [.. cells.Where((_, i) => _isWritten[i])];
        _leavable = [.. cells.Select((c, i) => (c, _isWritten[i])).Where(c => c.c.CanBeLeft)];
    }
}
