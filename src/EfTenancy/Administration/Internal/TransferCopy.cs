using EfTenancy.Properties;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>Brings rows from a stream into tables and out of them, and counts what is there.</summary>
public static class TransferCopy
{
    private const int BufferSize = 1 << 17;

    /// <summary>Tables of one group into a place: those in a circle by way of temporary ones, since no order satisfies their foreign keys.</summary>
    /// <param name="group">The tables.</param>
    /// <param name="site">The place.</param>
    /// <param name="connection">A connection to it, in a transaction.</param>
    /// <param name="copy">Copies one table: the table, the SQL of the COPY into the place, and whether it is binary.</param>
    /// <param name="isBinary">Whether the rows of a table come in binary form.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public static async Task IntoAsync(
        IReadOnlyList<TransferTable> group,
        TenantSite site,
        TransferConnection connection,
        Func<TransferTable, string, bool, Task> copy,
        Func<TransferTable, bool> isBinary,
        CancellationToken cancellationToken)
    {
        try
        {
            // One table may reference itself in any order: a COPY looks at foreign keys at its end.
            if (group is [var table])
            {
                await copy(table, TransferSql.CopyIn(table, table.Name, isBinary(table)), isBinary(table)).ConfigureAwait(false);
                return;
            }

            foreach (var (i, member) in group.Index())
            {
                await connection.ExecuteAsync(TransferSql.CreateStaging(member, i), cancellationToken).ConfigureAwait(false);
                await copy(member, TransferSql.CopyIn(member, TransferSql.StagingOf(i), isBinary(member)), isBinary(member)).ConfigureAwait(false);
            }

            await connection.ExecuteAsync(TransferSql.InsertStaged(group), cancellationToken).ConfigureAwait(false);
            foreach (var (i, _) in group.Index())
            {
                await connection.ExecuteAsync($"DROP TABLE {TransferSql.StagingOf(i)}", cancellationToken).ConfigureAwait(false);
            }
        }
        catch (PostgresException exception) when (Reason(exception, site) is { } reason)
        {
            throw new InvalidOperationException(reason, exception);
        }
    }

    /// <summary>Binary form where every value means the same elsewhere.</summary>
    public static bool IsBinary(TransferTable table)
        => table.Columns.All(c => c.IsBinary);

    public static async Task BetweenAsync(
        NpgsqlConnection source,
        string copyOut,
        NpgsqlConnection destination,
        string copyIn,
        bool isBinary,
        CancellationToken cancellationToken)
    {
        var from = await OutAsync(source, copyOut, isBinary, cancellationToken).ConfigureAwait(false);
        await using (from.ConfigureAwait(false))
        {
            await FromAsync(from, destination, copyIn, isBinary, cancellationToken).ConfigureAwait(false);
        }
    }

    public static async Task<Stream> OutAsync(
        NpgsqlConnection source,
        string copyOut,
        bool isBinary,
        CancellationToken cancellationToken)
    {
        var stream = isBinary
            ? await source.BeginRawBinaryCopyAsync(copyOut, cancellationToken).ConfigureAwait(false)
            : ((StreamReader)await source.BeginTextExportAsync(copyOut, cancellationToken).ConfigureAwait(false)).BaseStream;
        stream.ReadTimeout = Timeout.Infinite;
        return stream;
    }

    public static async Task FromAsync(
        Stream from,
        NpgsqlConnection destination,
        string copyIn,
        bool isBinary,
        CancellationToken cancellationToken)
    {
        var into = isBinary
            ? await destination.BeginRawBinaryCopyAsync(copyIn, cancellationToken).ConfigureAwait(false)
            : (NpgsqlRawCopyStream)((StreamWriter)await destination.BeginTextImportAsync(copyIn, cancellationToken).ConfigureAwait(false)).BaseStream;

        // PostgreSQL looks at foreign keys at the end of a COPY, which may take longer than the rows themselves.
        into.ReadTimeout = Timeout.Infinite;
        into.WriteTimeout = Timeout.Infinite;
        try
        {
            await from.CopyToAsync(into, BufferSize, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Disposed without this, what came so far would count.
            await into.CancelAsync().ConfigureAwait(false);
            await into.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await into.DisposeAsync().ConfigureAwait(false);
    }

    public static async Task<Dictionary<string, TableProof>> ProveAsync(
        TransferConnection connection,
        TransferCatalog catalog,
        CancellationToken cancellationToken)
    {
        var proofs = new Dictionary<string, TableProof>();
        foreach (var table in catalog.Tables)
        {
            proofs.Add(
                table.Key,
                (await connection.Session.QueryAsync(
                    TransferSql.Count(table), r => new TableProof(r.GetInt64(0), r.GetString(1)), cancellationToken).ConfigureAwait(false))[0]);
        }

        return proofs;
    }

    /// <summary>The tables in which the tenant has rows.</summary>
    public static async Task<List<string>> WithRowsAsync(
        TransferConnection connection,
        TransferCatalog catalog,
        CancellationToken cancellationToken)
    {
        var tables = catalog.Tables.ToList();
        return tables.Count == 0
            ? []
            : await connection.Session.QueryAsync(
                TransferSql.HasRows(tables), r => tables[r.GetInt32(0)].Key, cancellationToken).ConfigureAwait(false);
    }

    public static TenantTransferResult Result(TransferCatalog catalog, Dictionary<string, TableProof> proofs)
        => new([.. catalog.Tables.Select(t => new TenantTableRows(t.Key, proofs[t.Key].Rows))]);

    private static string? Reason(PostgresException exception, TenantSite site)
        => exception.SqlState switch
        {
            PostgresErrorCodes.ForeignKeyViolation => TenancyStrings.TransferReferenceMissing(
                site.TenantId, site.Destination, exception.TableName, exception.ConstraintName, exception.Detail),
            PostgresErrorCodes.UniqueViolation => TenancyStrings.TransferKeyTaken(
                site.TenantId, site.Destination, exception.TableName, exception.ConstraintName, exception.Detail),
            PostgresErrorCodes.CheckViolation when exception.Routine == "ExecFindPartition" => TenancyStrings.UnknownTenant(
                site.TenantId, exception.TableName),
            _ => null,
        };
}
