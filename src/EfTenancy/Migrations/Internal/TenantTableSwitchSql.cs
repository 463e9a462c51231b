using EfTenancy.Metadata;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     The DDL text that puts another table in the place of a table that has rows: a partitioned one that takes the old one as its
///     first partition, or one that the rows are copied into. Whatever stands on the old table is found in the catalog when it is
///     applied, and stands on the new one afterwards, under the same names.
/// </summary>
/// <remarks>
///     Every statement may be sent again after it was cut off at any point: it looks at what is there first.
/// </remarks>
public sealed class TenantTableSwitchSql(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    // Validated beforehand, so that the switch need not look at the rows. Its comment keeps the tenants in the one order that
    // PostgreSQL accepts as a proof beyond a hundred of them.
    private const string BoundConstraint = "tenancy_bound";

    // How long a statement may stand in the queue, where it holds up those behind it, before it steps back and tries again.
    private const string LockTimeout = "200ms";
    private const int Attempts = 300;

    private readonly TenantPartitionSql _partitionSql = new(sqlGenerationHelper, typeMappingSource);
    private readonly RelationalTypeMapping _text = typeMappingSource.FindMapping(typeof(string))!;

    /// <summary>The statements in their order, each a transaction of its own. The second and the last read the rows, without keeping anybody from them.</summary>
    public IEnumerable<string> PartitionExistingTable(string table, string? schema, string column, TenantPartitioning partitioning, string firstSuffix)
    {
        var first = TenantPartitionNaming.PartitionName(table, firstSuffix);

        yield return Block(
            table,
            schema,
            """
            tenants text[];
            """,
            $"""
            IF {IsPlain} AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND conname = '{BoundConstraint}') THEN
                {Refusals(table)}
                {Retried(
                $"""
                EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
                EXECUTE format(
                    'WITH RECURSIVE tenancy_ids AS ((SELECT %1$I AS id FROM %2$s ORDER BY 1 LIMIT 1) '
                    'UNION ALL SELECT (SELECT %1$I FROM %2$s WHERE %1$I > i.id ORDER BY 1 LIMIT 1) FROM tenancy_ids AS i WHERE i.id IS NOT NULL) '
                    'SELECT array_agg(id::text ORDER BY id) FROM tenancy_ids WHERE id IS NOT NULL', {Text(column)}, target) INTO tenants;
                IF tenants IS NOT NULL THEN
                    EXECUTE format(
                        'ALTER TABLE %s ADD CONSTRAINT {BoundConstraint} CHECK (%I IS NOT NULL AND %2$I IN (%s)) NOT VALID',
                        target, {Text(column)}, {Literals});
                    EXECUTE format('COMMENT ON CONSTRAINT {BoundConstraint} ON %s IS %L', target, tenants);
                END IF;
                """)}
            END IF;
            """);

        yield return Block(
            table,
            schema,
            "",
            $"""
            IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND conname = '{BoundConstraint}' AND NOT convalidated) THEN
                {Retried($"EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT {BoundConstraint}', target);")}
            END IF;
            """);

        yield return Block(
            table,
            schema,
            Declarations + "tenants text[]; has_rows boolean;",
            $"""
            IF {IsPlain} THEN
                {Refusals(table)}
                {Retried(
                $"""
                {Locks}
                tenants := obj_description(
                    (SELECT oid FROM pg_constraint WHERE conrelid = target AND conname = '{BoundConstraint}'), 'pg_constraint')::text[];
                EXECUTE format('SELECT EXISTS (SELECT FROM %s)', target) INTO has_rows;
                IF tenants IS NULL AND has_rows THEN
                    RAISE EXCEPTION USING MESSAGE = {Text(TenancyStrings.RowsCameInBetween(table))};
                END IF;
                {Capture}
                {MoveAside(Text(first), firstSuffix)}
                EXECUTE format('CREATE TABLE %s ({Like}) {PartitionBy(partitioning.Strategy, column)}', name, old);
                {RunEach("keys")}
                {RunEach("outbound")}
                {RunEach("hand_over")}
                IF tenants IS NULL THEN
                    EXECUTE format('DROP TABLE %s', old);
                ELSE
                    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES IN (%s)', name, old, {Literals});
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT {BoundConstraint}', old);
                END IF;
                {string.Join("\n", (partitioning.Partitions ?? []).Select(p => CreateUnlessHeld(table, schema, p)))}
                {References}
                {RunEach("rest")}
                """)}
            END IF;
            """);

        yield return ValidateReferences(table, schema);
    }

    /// <summary>Copies the rows into a table that is partitioned in another way, or not at all. Nobody reads or writes meanwhile.</summary>
    public IEnumerable<string> RebuildByCopying(string table, string? schema, string column, string? collation, TenantPartitioning? partitioning)
    {
        yield return Block(
            table,
            schema,
            Declarations,
            $"""
            {Refusals(table)}
            {Locks}
            {Capture}
            FOR part IN SELECT p.relid FROM pg_partition_tree(target) AS p WHERE p.level > 0 LOOP
                EXECUTE format('ALTER TABLE %s RENAME TO %I', part.relid::regclass, 'tenancy_old_' || part.relid::oid);
            END LOOP;
            {MoveAside("'tenancy_old_' || target::oid", "old")}
            EXECUTE format('CREATE TABLE %s ({Like})', name, old);
            -- Bounds of ranges mean the same in every database, whatever its collation; a partitioned table's column cannot change.
            IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = {Text(column)} AND attcollation NOT IN (0, {Collation(collation)}::regcollation)) THEN
                EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s COLLATE %s', name, {Text(column)},
                    (SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = target AND attname = {Text(column)}), {Collation(collation)});
            END IF;
            {(partitioning is null ? "" : MakePartitioned(partitioning.Strategy, column))}
            {string.Join("\n", (partitioning?.Partitions ?? []).SelectMany(p => _partitionSql.CreatePartition(table, schema, p)).Select(Execute))}
            EXECUTE (
                SELECT format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %3$s', name, string_agg(quote_ident(attname), ', '), old)
                FROM pg_attribute WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
            {RunEach("hand_over")}
            {RunEach("rest")}
            EXECUTE format('DROP TABLE %s', old);
            {RunEach("keys")}
            {RunEach("outbound")}
            {References}
            """);

        yield return ValidateReferences(table, schema);
    }

    // References from other tables, and from the table to itself, were added without looking at the rows.
    private string ValidateReferences(string table, string? schema)
        => Block(
            table,
            schema,
            "reference record;",
            $"""
            FOR reference IN
                SELECT conrelid::regclass AS dependent, conname FROM pg_constraint
                WHERE confrelid = target AND contype = 'f' AND conparentid = 0 AND NOT convalidated
            LOOP
                {Retried("EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', reference.dependent, reference.conname);")}
            END LOOP;

            -- A partitioned table takes over those of its partitions.
            FOR reference IN
                SELECT DISTINCT pg_partition_root(conrelid) AS dependent, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
                WHERE confrelid = target AND contype = 'f' AND conparentid = 0
                    AND conrelid IN (SELECT inhrelid FROM pg_inherits) AND conrelid <> target
            LOOP
                {Retried("EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', reference.dependent, reference.conname, reference.definition);")}
            END LOOP;
            """);

    private const string Declarations =
        """
        name text;
        old text;
        shape regclass;
        part record;
        statement text;
        keys text[];
        outbound text[];
        inbound text[];
        to_itself text[];
        hand_over text[];
        rest text[];
        """;

    // What cannot stand on a partitioned table, or would silently stay with the old one.
    private string Refusals(string table)
        => $"""
            IF EXISTS (
                SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid JOIN pg_class v ON v.oid = r.ev_class
                WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = target AND (v.relkind = 'm' OR r.ev_class = target)) THEN
                RAISE EXCEPTION USING MESSAGE = {Text(TenancyStrings.SwitchHasDependent(table, "a rule or a materialized view"))};
            ELSIF EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = target) THEN
                RAISE EXCEPTION USING MESSAGE = {Text(TenancyStrings.SwitchHasDependent(table, "a publication"))};
            ELSIF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE target IN (i.inhparent, i.inhrelid) AND c.relkind = 'r') THEN
                RAISE EXCEPTION USING MESSAGE = {Text(TenancyStrings.SwitchHasDependent(table, "a table that inherits"))};
            END IF;
            """;

    // Principals before their dependents, as a save locks them.
    private const string Locks =
        """
        FOR part IN
            SELECT DISTINCT confrelid::regclass AS relation FROM pg_constraint WHERE conrelid = target AND contype = 'f' AND confrelid <> target AND conparentid = 0
            ORDER BY 1
        LOOP
            EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', part.relation);
        END LOOP;
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
        FOR part IN
            SELECT DISTINCT conrelid::regclass AS relation FROM pg_constraint WHERE confrelid = target AND contype = 'f' AND conrelid <> target AND conparentid = 0
            ORDER BY 1
        LOOP
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', part.relation);
        END LOOP;
        """;

    // As statements that name the table as it is called now, and so mean the new one later. An empty search path makes all names full.
    private const string Capture =
        """
        PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        name := target::text;
        keys := ARRAY(
            SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', name, conname, replace(pg_get_constraintdef(oid), ' NOT VALID', ''))
            FROM pg_constraint WHERE conrelid = target AND contype IN ('p', 'u', 'c', 'x') AND conname <> 'tenancy_bound' ORDER BY contype DESC, conname)
            || ARRAY(
            SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index
            WHERE indrelid = target AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = target AND contype IN ('p', 'u', 'x')));
        outbound := ARRAY(
            SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', name, conname, replace(pg_get_constraintdef(oid), ' NOT VALID', ''))
            FROM pg_constraint WHERE conrelid = target AND contype = 'f' AND confrelid <> target AND conparentid = 0 ORDER BY conname);
        -- PostgreSQL adds no foreign key to a partitioned table without looking at its rows, but does to its partitions one by one.
        inbound := ARRAY(
            SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', leaf.relid::regclass, conname, replace(pg_get_constraintdef(con.oid), ' NOT VALID', ''))
            FROM pg_constraint con CROSS JOIN LATERAL (
                SELECT relid FROM pg_partition_tree(con.conrelid) WHERE isleaf
                UNION SELECT con.conrelid FROM pg_class c WHERE c.oid = con.conrelid AND c.relkind = 'r') AS leaf
            WHERE confrelid = target AND conrelid <> target AND contype = 'f' AND conparentid = 0 ORDER BY 1);
        to_itself := ARRAY(
            SELECT format(' ADD CONSTRAINT %I %s NOT VALID', conname, replace(pg_get_constraintdef(oid), ' NOT VALID', ''))
            FROM pg_constraint WHERE confrelid = target AND conrelid = target AND contype = 'f' AND conparentid = 0);
        hand_over := ARRAY(
            SELECT format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s)',
                name, attname, CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, s.sequence, seqincrement, seqmin, seqmax, seqstart, seqcache,
                CASE WHEN seqcycle THEN ' CYCLE' ELSE '' END)
            FROM pg_attribute CROSS JOIN LATERAL (SELECT pg_get_serial_sequence(name, attname) AS sequence) s JOIN pg_sequence ON seqrelid = s.sequence::regclass
            WHERE attrelid = target AND attidentity <> '')
            || ARRAY(
            SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, name, attname)
            FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid JOIN pg_class c ON c.oid = d.objid
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = target AND d.classid = 'pg_class'::regclass AND d.deptype = 'a' AND c.relkind = 'S');
        rest := ARRAY(
            SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = target AND NOT tgisinternal ORDER BY tgname)
            || ARRAY(
            SELECT format('ALTER TABLE %s %s TRIGGER %I', name,
                CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname)
            FROM pg_trigger WHERE tgrelid = target AND NOT tgisinternal AND tgenabled <> 'O')
            || ARRAY(
            SELECT DISTINCT format('CREATE OR REPLACE VIEW %s%s AS %s', v.oid::regclass, ' WITH (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid))
            FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid JOIN pg_class v ON v.oid = r.ev_class
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = target AND v.relkind = 'v')
            || ARRAY(
            SELECT format('GRANT %s%s ON %s TO %s%s', g.privilege_type, columns, name,
                CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM (
                SELECT '' AS columns, (aclexplode(relacl)).* FROM pg_class WHERE oid = target
                UNION ALL SELECT format(' (%I)', attname), (aclexplode(attacl)).* FROM pg_attribute WHERE attrelid = target AND attnum > 0) AS g
            WHERE g.grantee <> (SELECT relowner FROM pg_class WHERE oid = target))
            || ARRAY(
            SELECT format('COMMENT ON TABLE %s IS %L', name, obj_description(target, 'pg_class')) WHERE obj_description(target, 'pg_class') IS NOT NULL)
            || ARRAY(
            SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', polname, name, CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                (SELECT string_agg(CASE WHEN role = 0 THEN 'PUBLIC' ELSE role::regrole::text END, ', ') FROM unnest(polroles) AS role))
                || coalesce(' USING (' || pg_get_expr(polqual, polrelid) || ')', '') || coalesce(' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')', '')
            FROM pg_policy WHERE polrelid = target)
            || ARRAY(
            SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name) FROM pg_class WHERE oid = target AND relrowsecurity)
            || ARRAY(
            SELECT format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name) FROM pg_class WHERE oid = target AND relforcerowsecurity)
            || ARRAY(
            SELECT format('ALTER TABLE %s OWNER TO %s', name, relowner::regrole) FROM pg_class WHERE oid = target);
        -- The new sequence goes on where the old one is.
        FOR part IN SELECT pg_get_serial_sequence(name, attname) AS sequence FROM pg_attribute WHERE attrelid = target AND attidentity <> '' LOOP
            EXECUTE format('SELECT format(''SELECT setval(%%L, %%s, %%L)'', %L, last_value, is_called) FROM %1$s', part.sequence) INTO statement;
            hand_over := hand_over || statement;
        END LOOP;
        PERFORM set_config('search_path', search_path_before, true);
        """;

    private const string IsPlain = "(SELECT relkind FROM pg_class WHERE oid = target) <> 'p'";

    private const string Literals
        = "(SELECT string_agg(quote_literal(v), ', ' ORDER BY n) FROM unnest(tenants) WITH ORDINALITY AS u (v, n))";

    // Frees the names, and what may stand on one table only.
    private string MoveAside(string newName, string suffix)
        => $"""
            FOR part IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint WHERE confrelid = target AND contype = 'f' AND conparentid = 0 LOOP
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', part.relation, part.conname);
            END LOOP;
            FOR part IN SELECT tgname FROM pg_trigger WHERE tgrelid = target AND NOT tgisinternal LOOP
                EXECUTE format('DROP TRIGGER %I ON %s', part.tgname, target);
            END LOOP;
            FOR part IN SELECT attname FROM pg_attribute WHERE attrelid = target AND attidentity <> '' LOOP
                EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', target, part.attname);
            END LOOP;
            FOR part IN SELECT indexrelid::regclass AS index, relname FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = target LOOP
                EXECUTE format('ALTER INDEX %s RENAME TO %I', part.index,
                    CASE WHEN octet_length(part.relname || {Text("_" + suffix)}) < 64 THEN part.relname || {Text("_" + suffix)} ELSE 'tenancy_' || md5(part.relname) END);
            END LOOP;
            EXECUTE format('ALTER TABLE %s RENAME TO %I', target, {newName});
            old := target::text;
            """;

    // Of the tenants that a partition is for, those whose rows are in the first one stay there until they are split off.
    private string CreateUnlessHeld(string table, string? schema, TenantPartition partition)
    {
        if (partition.Values is not { } values)
        {
            return string.Join("\n", _partitionSql.CreatePartition(table, schema, partition).Select(Execute));
        }

        var (create, attach) = _partitionSql.CreatePartition(table, schema, partition.Suffix);
        return $"""
            SELECT string_agg(quote_literal(v), ', ') INTO statement FROM unnest(ARRAY[{string.Join(", ", values.Select(Text))}]) AS v WHERE NOT v = ANY (coalesce(tenants, ARRAY[]::text[]));
            IF statement IS NOT NULL THEN
                EXECUTE {Text(create)};
                EXECUTE {Text(attach)} || ' FOR VALUES IN (' || statement || ')';
            END IF;
            """;
    }

    private const string Like
        = "LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMMENTS INCLUDING STATISTICS";

    private string MakePartitioned(TenantPartitionStrategy strategy, string column)
        => $"""
            shape := name::regclass;
            EXECUTE format('ALTER TABLE %s RENAME TO tenancy_shape', name);
            EXECUTE format('CREATE TABLE %s ({Like}) {PartitionBy(strategy, column)}', name, shape::text);
            EXECUTE format('DROP TABLE %s', shape);
            """;

    private string Collation(string? collation)
        => Text(sqlGenerationHelper.DelimitIdentifier(collation ?? "default"));

    private static readonly string References =
        $"""
        {RunEach("inbound")}
        FOR part IN
            SELECT relid::regclass AS leaf FROM pg_partition_tree(name::regclass) WHERE isleaf
            UNION SELECT oid::regclass FROM pg_class WHERE oid = name::regclass AND relkind = 'r'
        LOOP
            FOREACH statement IN ARRAY to_itself LOOP
                EXECUTE 'ALTER TABLE ' || part.leaf || statement;
            END LOOP;
        END LOOP;
        """;

    private static string RunEach(string statements)
        => $"""
            FOREACH statement IN ARRAY {statements} LOOP
                EXECUTE statement;
            END LOOP;
            """;

    // A rolled back attempt gives back its locks before it waits.
    private static string Retried(string statements)
        => $"""
            FOR attempt IN 1..{Attempts} LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', '{LockTimeout}', true);
                    {statements}
                    PERFORM set_config('lock_timeout', lock_timeout_before, true);
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    IF attempt = {Attempts} THEN
                        RAISE;
                    END IF;
                END;
                PERFORM pg_sleep(0.05 + 0.2 * random());
            END LOOP;
            """;

    private string Block(string table, string? schema, string declarations, string body)
        // As a string literal: a dollar quote would end at a name that holds it.
        => "DO " + Text(
            $"""
            DECLARE
                target regclass := {Text(sqlGenerationHelper.DelimitIdentifier(table, schema))};
                search_path_before text := current_setting('search_path');
                lock_timeout_before text := current_setting('lock_timeout');
                {declarations}
            BEGIN
                {body}
            END
            """) + ";";

    private string PartitionBy(TenantPartitionStrategy strategy, string column)
        => _partitionSql.PartitionBy(strategy, column).Replace("'", "''", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal);

    private string Execute(string statement)
        => $"EXECUTE {Text(statement)};";

    private string Text(string text)
        => _text.GenerateSqlLiteral(text);
}
