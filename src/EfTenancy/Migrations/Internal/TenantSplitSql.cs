using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     The SQL text that writes a partition anew as several tables beside it, while it is read and written: a trigger logs the keys of the
///     rows that change, the rows are copied block by block, and those whose keys were logged are copied again.
/// </summary>
public sealed class TenantSplitSql(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    /// <summary>What the names of all that a split needs for itself begin with; the number of the partition follows.</summary>
    public const string Prefix = "tenancy_split_";

    public const string Trigger = "tenancy_split";

    /// <summary>The comment of the tables of a split that has not come to its end, by which they are found whatever they are called.</summary>
    public const string Mark
        = "Written by SplitAsync(...) of EfTenancy and not in use yet. If no split is running, RepairAsync() drops it.";

    private const string Bound = FirstPartitionBoundSql.Constraint;

    // A key column may have any other name.
    private const string LogId = "tenancy_split_id";

    private readonly RelationalTypeMapping _text = typeMappingSource.FindMapping(typeof(string))!;

    /// <summary>Everything that the split of one partition needs, in one transaction: the trigger waits for those who write.</summary>
    public IEnumerable<string> Create(TenantSplitTables split)
    {
        foreach (var piece in split.Pieces)
        {
            var check = $"CONSTRAINT {Bound} CHECK ({Holds(split, piece)})";
            yield return $"CREATE TABLE {piece.Name}"
                + (piece.IsRest
                    // Later versions of PostgreSQL give partitions the identity of their table.
                    ? $" (LIKE {split.Partition} INCLUDING ALL EXCLUDING IDENTITY, {check})"
                    : TenantPartitionSql.LikeParent(split.Table, check));
            yield return $"COMMENT ON TABLE {piece.Name} IS {Text(Mark)}";
        }

        var keys = Names(split.Keys);
        yield return $"CREATE TABLE {split.Log} AS SELECT {keys} FROM {split.Partition} WITH NO DATA";
        yield return $"ALTER TABLE {split.Log} ADD {LogId} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
        yield return $"COMMENT ON TABLE {split.Log} IS {Text(Mark)}";

        // The application writes as somebody who has no rights on the log.
        yield return $"""
            CREATE FUNCTION {split.Function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {Text(
            $"""
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    INSERT INTO {split.Log} ({keys}) VALUES ({Names(split.Keys, "NEW.")});
                ELSE
                    INSERT INTO {split.Log} ({keys}) VALUES ({Names(split.Keys, "OLD.")});
                    IF TG_OP = 'UPDATE' AND ROW({Names(split.Keys, "NEW.")}) IS DISTINCT FROM ROW({Names(split.Keys, "OLD.")}) THEN
                        INSERT INTO {split.Log} ({keys}) VALUES ({Names(split.Keys, "NEW.")});
                    END IF;
                END IF;
                RETURN NULL;
            END
            """)}
            """;
        yield return $"REVOKE ALL ON FUNCTION {split.Function}() FROM PUBLIC";
        yield return
            $"CREATE TRIGGER {Trigger} AFTER INSERT OR UPDATE OR DELETE ON {split.Partition} FOR EACH ROW EXECUTE FUNCTION {split.Function}()";
        // Rows that replication writes count too.
        yield return $"ALTER TABLE {split.Partition} ENABLE ALWAYS TRIGGER {Trigger}";
    }

    /// <summary>
    ///     Keeps autovacuum away until the transaction ends, which would hold up the locks that follow. PostgreSQL cancels it for one who has
    ///     waited for <c>deadlock_timeout</c>, as none of those may; nobody who reads or writes waits for this one.
    /// </summary>
    public static IEnumerable<string> KeepVacuumAway(TenantSplitTables split)
    {
        yield return "SELECT set_config('tenancy.lock_timeout', current_setting('lock_timeout'), true)";
        yield return "SELECT set_config('lock_timeout', (SELECT 3 * setting::int || 'ms' FROM pg_settings WHERE name = 'deadlock_timeout'), true)";
        yield return $"LOCK TABLE ONLY {split.Partition} IN SHARE UPDATE EXCLUSIVE MODE";
        yield return "SELECT set_config('lock_timeout', current_setting('tenancy.lock_timeout'), true)";
    }

    /// <summary>The rows of some blocks. A row that has moved since the trigger is there was logged, wherever it is now.</summary>
    public static IEnumerable<string> CopyBlocks(TenantSplitTables split, long from, long to)
        => split.Pieces.Select(
            p => Insert(split, p, $"ctid >= '({from},0)' AND ctid < '({to},0)'") + " ON CONFLICT DO NOTHING");

    /// <summary>The logged keys that one transaction takes: the last of them.</summary>
    public static string LastLogged(TenantSplitTables split, int most)
        => $"SELECT max({LogId}), count(*) FROM (SELECT {LogId} FROM {split.Log} ORDER BY {LogId} LIMIT {most}) AS l";

    /// <summary>Makes the rows of the logged keys what they are in the partition. All statements must see the same moment.</summary>
    public IEnumerable<string> CopyLogged(TenantSplitTables split, long last)
    {
        var logged = $"({Names(split.Keys)}) IN (SELECT {Names(split.Keys)} FROM {split.Log} WHERE {LogId} <= {last})";

        // By key, one row at a time: nothing is known about the log when the plan is made.
        yield return "SET LOCAL enable_seqscan = off";
        yield return "SET LOCAL enable_hashjoin = off";
        yield return "SET LOCAL enable_mergejoin = off";
        foreach (var piece in split.Pieces)
        {
            yield return $"DELETE FROM {piece.Name} WHERE {logged}";
        }

        foreach (var piece in split.Pieces)
        {
            yield return Insert(split, piece, logged);
        }

        yield return $"DELETE FROM {split.Log} WHERE {LogId} <= {last}";
        yield return "SET LOCAL enable_seqscan TO DEFAULT";
        yield return "SET LOCAL enable_hashjoin TO DEFAULT";
        yield return "SET LOCAL enable_mergejoin TO DEFAULT";
    }

    /// <summary>Those who name the partition itself hold no lock on its table.</summary>
    public static string LockPartition(TenantSplitTables split)
        => $"LOCK TABLE ONLY {split.Partition} IN ACCESS EXCLUSIVE MODE";

    /// <summary>Hint bits, visibility and statistics, which the checks of foreign keys in the switch are faster with. Outside of a transaction.</summary>
    public static string Prepare(TenantSplitPiece piece)
        => $"VACUUM (ANALYZE) {piece.Name}";

    /// <summary>
    ///     PostgreSQL checks the foreign keys of detached and attached partitions by joins with all rows of the other table, and would read
    ///     these. Keys lead with the tenant: joined in the order of the keys, indexes are enough, and only those of some tenants.
    /// </summary>
    public static IEnumerable<string> CheckForeignKeysByIndexes()
        => ["SET LOCAL enable_hashjoin = off", "SET LOCAL jit = off"];

    /// <summary>For the partition, which is detached: its pieces take its place and its name.</summary>
    public IEnumerable<string> Replace(TenantSplitTables split, IEnumerable<string> belongings)
    {
        yield return TenantPartitionSql.DropDetached(split.Partition);
        yield return $"DROP FUNCTION {split.Function}()";
        yield return TenantPartitionSql.DropDetached(split.Log);
        foreach (var piece in split.Pieces)
        {
            yield return $"COMMENT ON TABLE {piece.Name} IS NULL";
            if (piece.IsRest)
            {
                yield return $"ALTER TABLE {piece.Name} RENAME TO {sqlGenerationHelper.DelimitIdentifier(split.PartitionName)}";
            }
        }

        foreach (var statement in belongings)
        {
            yield return statement;
        }
    }

    /// <summary>Once it is attached, the bound says the same.</summary>
    public static string DropBound(string partition)
        => $"ALTER TABLE {partition} DROP CONSTRAINT {Bound}";

    /// <summary>
    ///     Statements that give the table of the rest what its partition has beyond what LIKE copies, the names of indexes and statistics
    ///     included. The parameters are the numbers of both; the name is that which it will have.
    /// </summary>
    public string SelectBelongings(TenantSplitTables split)
        => $"""
            WITH t AS (SELECT @partition::oid AS target, @rest::oid AS rest, {Text(split.Partition)} AS name, {Text(sqlGenerationHelper.DelimitIdentifier(split.Schema) + ".")} AS schema),
            indexes AS (
                SELECT x.indrelid, c.relname, row_number() OVER (PARTITION BY x.indrelid, d.definition ORDER BY x.indexrelid) AS number, d.definition
                FROM t JOIN pg_index x ON x.indrelid IN (target, rest) JOIN pg_class c ON c.oid = x.indexrelid
                JOIN pg_class o ON o.oid = x.indrelid JOIN pg_namespace n ON n.oid = o.relnamespace
                CROSS JOIN LATERAL (SELECT format(' ON %I.%I USING ', n.nspname, o.relname) AS words, pg_get_indexdef(x.indexrelid) AS whole) AS w
                CROSS JOIN LATERAL (SELECT concat_ws(' ', x.indisunique, x.indisprimary, substr(whole, strpos(whole, words) + length(words))) AS definition) AS d
            ),
            statistics AS (
                SELECT stxrelid, stxname, row_number() OVER (PARTITION BY stxrelid ORDER BY s.oid) AS number FROM t JOIN pg_statistic_ext s ON stxrelid IN (target, rest)
            )
            SELECT s FROM t CROSS JOIN LATERAL unnest(
                ARRAY(
                SELECT format('ALTER INDEX %s%I RENAME TO %I', schema, copy.relname, original.relname)
                FROM indexes AS copy JOIN indexes AS original USING (definition, number) WHERE copy.indrelid = rest AND original.indrelid = target)
                || ARRAY(
                SELECT format('ALTER STATISTICS %s%I RENAME TO %I', schema, copy.stxname, original.stxname)
                FROM statistics AS copy JOIN statistics AS original USING (number) WHERE copy.stxrelid = rest AND original.stxrelid = target)
                || ARRAY(
                SELECT format('ALTER TABLE %s SET (%s = %L)', name, split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)) FROM (
                    SELECT unnest(reloptions) AS o FROM pg_class WHERE oid = target
                    UNION ALL SELECT 'toast.' || unnest(toast.reloptions) FROM pg_class AS c JOIN pg_class AS toast ON toast.oid = c.reltoastrelid WHERE c.oid = target) AS options)
                || ARRAY(
                SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', name, attname, attstattarget)
                FROM pg_attribute WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attstattarget >= 0)
                || ARRAY(
                SELECT format('ALTER TABLE %s REPLICA IDENTITY %s', name, CASE relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE
                    (SELECT format('USING INDEX %I', i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = target AND x.indisreplident) END)
                FROM pg_class WHERE oid = target AND relreplident <> 'd')
                || ARRAY(
                SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = target AND NOT tgisinternal AND tgparentid = 0 AND tgname <> '{Trigger}' ORDER BY tgname)
                || ARRAY(
                SELECT format('ALTER TABLE %s %s TRIGGER %I', name,
                    CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname)
                FROM pg_trigger WHERE tgrelid = target AND NOT tgisinternal AND tgparentid = 0 AND tgenabled <> 'O' AND tgname <> '{Trigger}')
                || ARRAY(
                SELECT DISTINCT format('REVOKE ALL ON %s FROM %s', name, CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
                FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS g WHERE c.oid = rest AND g.grantee <> c.relowner)
                || {TableInventorySql.Belongings}) WITH ORDINALITY AS u (s, n) ORDER BY n
            """;

    /// <summary>Ends the log of a split that was cut off.</summary>
    public static string DropTrigger(string partition)
        => $"DROP TRIGGER {Trigger} ON {partition}";

    public static string DropFunction(string function)
        => $"DROP FUNCTION {function}()";

    private static string Insert(TenantSplitTables split, TenantSplitPiece piece, string which)
        => $"INSERT INTO {piece.Name} ({split.Columns}) OVERRIDING SYSTEM VALUE SELECT {split.Columns} FROM ONLY {split.Partition} WHERE {which} AND {piece.Which}";

    /// <summary>The tenants of a piece as a condition.</summary>
    public string OneOf(string column, IEnumerable<string> tenantIds)
        => $"{sqlGenerationHelper.DelimitIdentifier(column)} IN ({string.Join(", ", tenantIds.Select(Text))})";

    // In the form in which PostgreSQL looks for it, so that it need not look at the rows.
    private string Holds(TenantSplitTables split, TenantSplitPiece piece)
    {
        var column = sqlGenerationHelper.DelimitIdentifier(split.TenantColumn);
        return piece.Values is { } values
            ? $"{column} IS NOT NULL AND {OneOf(split.TenantColumn, values)}"
            : $"NOT ({column} IS NOT NULL AND {OneOf(split.TenantColumn, piece.Others)})";
    }

    private string Names(IEnumerable<string> columns, string qualifier = "")
        => string.Join(", ", columns.Select(c => qualifier + sqlGenerationHelper.DelimitIdentifier(c)));

    private string Text(string text)
        => _text.GenerateSqlLiteral(text);
}

/// <summary>A partition that is written anew, all names delimited except where one is said to be plain.</summary>
/// <param name="Table">The partitioned table.</param>
/// <param name="Partition">The partition.</param>
/// <param name="PartitionName">Its plain name.</param>
/// <param name="Schema">The plain name of the schema of both.</param>
/// <param name="Log">The table of the keys whose rows have changed.</param>
/// <param name="Function">The function that fills it.</param>
/// <param name="TenantColumn">The plain name of the column of the tenant.</param>
/// <param name="Columns">All columns that can be written, as a list.</param>
/// <param name="Keys">The plain names of the columns of a unique key.</param>
/// <param name="Pieces">The tables that take its rows.</param>
public sealed record TenantSplitTables(
    string Table,
    string Partition,
    string PartitionName,
    string Schema,
    string Log,
    string Function,
    string TenantColumn,
    string Columns,
    IReadOnlyList<string> Keys,
    IReadOnlyList<TenantSplitPiece> Pieces);

/// <summary>A table that takes some of the rows.</summary>
/// <param name="Name">Its delimited name.</param>
/// <param name="Values">The values that it will be attached with; null for DEFAULT.</param>
/// <param name="Others">Without values, those that it will not hold.</param>
/// <param name="Which">The rows that it takes from the partition, as a condition.</param>
/// <param name="IsRest">Whether it takes the partition's name.</param>
public sealed record TenantSplitPiece(
    string Name,
    IReadOnlyList<string>? Values,
    IReadOnlyList<string> Others,
    string Which,
    bool IsRest);
