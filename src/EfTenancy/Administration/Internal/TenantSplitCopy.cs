using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Writes one partition anew as the tables that will take its place, while it is read and written. Rows that change meanwhile are
///     logged by their key and copied again, so that it does not matter in which order, and under which isolation, others write.
/// </summary>
public sealed class TenantSplitCopy(TenantDatabase database, TenantConnection connection, TenantSplit split, TenantSplitTables tables)
{
    // 4 MB, about a tenth of a second.
    private const int BlocksAtOnce = 512;
    private const int LoggedAtOnce = 5_000;

    private uint _last;
    private uint _file;
    private long _blocks;

    public TenantSplit Split
        => split;

    /// <summary>Looks at the partition, and refuses what would be lost with it.</summary>
    public static async Task<TenantSplitCopy> DescribeAsync(
        TenantDatabase database,
        TenantConnection connection,
        TenantSplit split,
        CancellationToken cancellationToken)
    {
        var name = database.Name(split.Partition);
        var dependents = await connection.QueryAsync(DependentsSql, r => r.GetString(0), cancellationToken, Oid(split)).ConfigureAwait(false);
        if (dependents.Count > 0)
        {
            throw new InvalidOperationException(TenancyStrings.SplitHasDependent(name, string.Join(", ", dependents)));
        }

        var columns = await connection.QueryAsync(
            """
            SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = @partition AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            """,
            r => r.GetString(0), cancellationToken, Oid(split)).ConfigureAwait(false);
        var keys = await connection.QueryAsync(KeySql, r => r.GetFieldValue<string[]>(0), cancellationToken, Oid(split)).ConfigureAwait(false);
        if (keys.Count == 0)
        {
            throw new InvalidOperationException(TenancyStrings.SplitNeedsKey(name));
        }

        var own = TenantSplitSql.Prefix + split.Partition.Oid;
        return new TenantSplitCopy(
            database, connection, split,
            new TenantSplitTables(
                database.Name(split.Table), name, split.Partition.Name, split.Partition.Schema,
                database.Sql.DelimitIdentifier(own + "_log", split.Partition.Schema), database.Sql.DelimitIdentifier(own, split.Partition.Schema),
                split.Table.TenantColumn, columns[0], keys[0],
                [.. Pieces(database, split, database.Sql.DelimitIdentifier(own, split.Partition.Schema))]));
    }

    /// <summary>Makes the tables and begins to log.</summary>
    public Task<bool> CreateAsync(CancellationToken cancellationToken)
        => connection.InTransactionAsync(
            async () =>
            {
                await KeepVacuumAwayAsync(cancellationToken).ConfigureAwait(false);
                await connection.ExecuteAsync(database.SplitSql.Create(tables), cancellationToken).ConfigureAwait(false);

                // The rows that come later are logged, so that the blocks of now are enough.
                var now = await connection.QueryAsync(
                    "SELECT pg_relation_filenode(@partition::oid), pg_relation_size(@partition::oid) / current_setting('block_size')::bigint, to_regclass(@last)::oid",
                    r => (File: r.GetFieldValue<uint>(0), Blocks: r.GetInt64(1), Last: r.IsDBNull(2) ? 0 : r.GetFieldValue<uint>(2)),
                    cancellationToken,
                    Oid(split), new NpgsqlParameter("last", tables.Pieces[^1].Name)).ConfigureAwait(false);
                (_file, _blocks, _last) = now[0];
                return true;
            },
            cancellationToken);

    public async Task CopyAsync(TenantAdministrationReport report, CancellationToken cancellationToken)
    {
        var batches = (int)((_blocks + BlocksAtOnce - 1) / BlocksAtOnce) + 1;
        for (var batch = 0; batch < batches - 1; batch++)
        {
            var from = (long)batch * BlocksAtOnce;
            await connection.InTransactionAsync(
                async () =>
                {
                    await connection.ExecuteAsync(
                        TenantSplitSql.CopyBlocks(tables, from, Math.Min(from + BlocksAtOnce, _blocks)), cancellationToken).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
            report.Progress(split.Table, batch + 1, batches);
        }

        await CatchUpAsync(cancellationToken).ConfigureAwait(false);
        foreach (var piece in tables.Pieces)
        {
            await connection.RetryAsync(
                async () =>
                {
                    await connection.ExecuteAsync([TenantSplitSql.Prepare(piece)], cancellationToken).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }

        report.Progress(split.Table, batches, batches);
    }

    /// <summary>Copies what was logged until little is left.</summary>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        long taken;
        do
        {
            taken = await connection.InTransactionAsync(
                async () =>
                {
                    // What is deleted, read again and taken from the log must be of one moment.
                    await connection.ExecuteAsync(["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"], cancellationToken).ConfigureAwait(false);
                    return await CopyLoggedAsync(cancellationToken).ConfigureAwait(false);
                },
                cancellationToken).ConfigureAwait(false);
        }
        while (taken == LoggedAtOnce);
    }

    /// <summary>In the transaction of the switch, before any lock that others wait for.</summary>
    public Task KeepVacuumAwayAsync(CancellationToken cancellationToken)
        => connection.ExecuteAsync(TenantSplitSql.KeepVacuumAway(tables), cancellationToken);

    /// <summary>In the transaction of the switch: keeps those away who have come without their table.</summary>
    public Task LockAsync(CancellationToken cancellationToken)
        => connection.ExecuteAsync([TenantSplitSql.LockPartition(tables)], cancellationToken);

    /// <summary>In the transaction of the switch, once nobody else writes: the last rows, and what becomes of the partition.</summary>
    public async Task<TenantPartitionChange> FinishAsync(CancellationToken cancellationToken)
    {
        await RefuseOvertakenAsync(cancellationToken).ConfigureAwait(false);
        while (await CopyLoggedAsync(cancellationToken).ConfigureAwait(false) > 0)
        {
        }

        var belongings = tables.Pieces[^1].IsRest
            ? await connection.QueryAsync(
                database.SplitSql.SelectBelongings(tables),
                r => r.GetString(0),
                cancellationToken,
                Oid(split), new NpgsqlParameter("rest", NpgsqlDbType.Oid) { Value = _last }).ConfigureAwait(false)
            : [];

        return new TenantPartitionChange(
            split.Table, split.Partition, split.Partition.Values, [.. split.Leaving.SelectMany(l => l.TenantIds)])
        {
            Replacement = [.. database.SplitSql.Replace(tables, belongings)],
            Pieces = [.. tables.Pieces.Select(p => (NameAfter(p), p.Values))],
        };
    }

    /// <summary>In the transaction of the switch, after it.</summary>
    public Task TidyAsync(CancellationToken cancellationToken)
        => connection.ExecuteAsync(tables.Pieces.Select(p => TenantSplitSql.DropBound(NameAfter(p))), cancellationToken);

    private string NameAfter(TenantSplitPiece piece)
        => piece.IsRest ? tables.Partition : piece.Name;

    private async Task<long> CopyLoggedAsync(CancellationToken cancellationToken)
    {
        var logged = await connection.QueryAsync(
            TenantSplitSql.LastLogged(tables, LoggedAtOnce),
            r => (Last: r.IsDBNull(0) ? 0 : r.GetInt64(0), Count: r.GetInt64(1)),
            cancellationToken).ConfigureAwait(false);
        if (logged[0].Count > 0)
        {
            await connection.ExecuteAsync(database.SplitSql.CopyLogged(tables, logged[0].Last), cancellationToken).ConfigureAwait(false);
        }

        return logged[0].Count;
    }

    // A table that was rewritten or truncated has another file; a trigger that was off for a while is not what it was.
    private async Task RefuseOvertakenAsync(CancellationToken cancellationToken)
    {
        var isAsBefore = await connection.QueryAsync(
            """
            SELECT pg_relation_filenode(@partition::oid) = @file
                AND EXISTS (SELECT FROM pg_trigger WHERE tgrelid = @partition AND tgname = @trigger AND tgenabled = 'A')
            """,
            r => !r.IsDBNull(0) && r.GetBoolean(0),
            cancellationToken,
            Oid(split),
            new NpgsqlParameter("file", NpgsqlDbType.Oid) { Value = _file },
            new NpgsqlParameter("trigger", TenantSplitSql.Trigger)).ConfigureAwait(false);
        if (!isAsBefore[0])
        {
            throw new InvalidOperationException(TenancyStrings.SplitWasOvertaken(tables.Partition));
        }
    }

    private static IEnumerable<TenantSplitPiece> Pieces(TenantDatabase database, TenantSplit split, string rest)
    {
        foreach (var (suffix, ids) in split.Leaving)
        {
            yield return new TenantSplitPiece(
                database.Sql.DelimitIdentifier(TenantPartitionNaming.PartitionName(split.Table.Name, suffix), split.Table.Schema),
                ids, [], database.SplitSql.OneOf(split.Table.TenantColumn, ids), IsRest: false);
        }

        var leaving = split.Leaving.SelectMany(l => l.TenantIds).ToList();
        var staying = split.Partition.Values?.Except(leaving).ToList();
        if (staying is null || staying.Count > 0)
        {
            yield return new TenantSplitPiece(
                rest, staying,
                [.. split.Table.Partitions.SelectMany(p => p.Values ?? []).Concat(leaving).Order(StringComparer.Ordinal)],
                $"NOT ({database.SplitSql.OneOf(split.Table.TenantColumn, leaving)})", IsRest: true);
        }
    }

    private static NpgsqlParameter Oid(TenantSplit split)
        => new("partition", NpgsqlDbType.Oid) { Value = split.Partition.Oid };

    // What DROP TABLE would take along without a word, and what it would refuse only at the end.
    private const string DependentsSql =
        """
        SELECT 'a view or a rule' WHERE EXISTS (
            SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = @partition)
        UNION ALL SELECT 'a publication' WHERE EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = @partition)
        UNION ALL SELECT 'partitions or inheriting tables' WHERE EXISTS (SELECT FROM pg_inherits WHERE inhparent = @partition)
        UNION ALL SELECT 'rows on another server' WHERE EXISTS (SELECT FROM pg_class WHERE oid = @partition AND relkind = 'f')
        UNION ALL SELECT 'a foreign key' WHERE EXISTS (
            SELECT FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND @partition IN (conrelid, confrelid))
        UNION ALL SELECT 'a deferrable key' WHERE EXISTS (SELECT FROM pg_index WHERE indrelid = @partition AND indisunique AND NOT indimmediate)
        """;

    private const string KeySql =
        """
        SELECT array_agg(a.attname::text ORDER BY k.number)
        FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, number)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = @partition AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.number <= i.indnkeyatts
        GROUP BY i.indexrelid, i.indisprimary HAVING bool_and(a.attnotnull)
        ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1
        """;
}
