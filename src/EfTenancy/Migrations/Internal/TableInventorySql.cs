using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     PL/pgSQL that finds in the catalog whatever stands on a table, frees its names, and puts it on the table that takes its place.
/// </summary>
public sealed class TableInventorySql(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    private readonly TableBlockSql _block = new(sqlGenerationHelper, typeMappingSource);

    public const string Like
        = "LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMMENTS INCLUDING STATISTICS";

    public const string Declarations =
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

    /// <summary>Fails for what cannot stand on a partitioned table, or would silently stay with the old one.</summary>
    public string Refusals(string table)
        => $"""
            IF EXISTS (
                SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid JOIN pg_class v ON v.oid = r.ev_class
                WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = target AND (v.relkind = 'm' OR r.ev_class = target)) THEN
                RAISE EXCEPTION USING MESSAGE = {_block.Text(TenancyStrings.SwitchHasDependent(table, "a rule or a materialized view"))};
            ELSIF EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = target) THEN
                RAISE EXCEPTION USING MESSAGE = {_block.Text(TenancyStrings.SwitchHasDependent(table, "a publication"))};
            ELSIF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE target IN (i.inhparent, i.inhrelid) AND c.relkind = 'r') THEN
                RAISE EXCEPTION USING MESSAGE = {_block.Text(TenancyStrings.SwitchHasDependent(table, "a table that inherits"))};
            END IF;
            """;

    /// <summary>Fails for rows that are nobody's, which only a table has whose column was nullable.</summary>
    public string RefuseRowsWithoutTenant(string table, string column)
        => $"""
            IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = {_block.Text(column)} AND NOT attnotnull) THEN
                DECLARE
                    is_there boolean;
                BEGIN
                    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I IS NULL)', target, {_block.Text(column)}) INTO is_there;
                    IF is_there THEN
                        RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = {_block.Text(TenancyStrings.RowsWithoutTenant(table, column))};
                    END IF;
                END;
            END IF;
            """;

    /// <summary>
    ///     The tenants whose rows the table has, into an array; from one to the next in the index that leads with them. Without one, each
    ///     step would read the whole table.
    /// </summary>
    public string TenantsOfRows(string column, string into, string source = "target")
        => $"""
            EXECUTE format(
                CASE WHEN NOT EXISTS (
                    SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                    WHERE i.indrelid = {source} AND a.attname = {_block.Text(column)} AND i.indisvalid AND i.indpred IS NULL)
                THEN 'SELECT array_agg(id::text ORDER BY id) FROM (SELECT DISTINCT %1$I AS id FROM %2$s) AS d WHERE id IS NOT NULL'
                ELSE 'WITH RECURSIVE tenancy_ids AS ((SELECT %1$I AS id FROM %2$s ORDER BY 1 LIMIT 1) '
                'UNION ALL SELECT (SELECT %1$I FROM %2$s WHERE %1$I > i.id ORDER BY 1 LIMIT 1) FROM tenancy_ids AS i WHERE i.id IS NOT NULL) '
                'SELECT array_agg(id::text ORDER BY id) FROM tenancy_ids WHERE id IS NOT NULL' END, {_block.Text(column)}, {source}) INTO {into};
            """;

    /// <summary>Principals before their dependents, as a save locks them.</summary>
    public const string Locks =
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

    /// <summary>
    ///     Statements that give a table <c>name</c> what <c>target</c> has: rights, comment, policies and owner. The owner comes last:
    ///     afterwards the rest may not be ours to give.
    /// </summary>
    public const string Belongings =
        """
        ARRAY(
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
        SELECT format('ALTER TABLE %s OWNER TO %s', name, relowner::regrole) FROM pg_class WHERE oid = target)
        """;

    /// <summary>Statements that name the table as it is called now, and so mean the new one later. An empty search path makes all names full.</summary>
    public const string Capture =
        $"""
        PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        name := target::text;
        keys := ARRAY(
            SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', name, conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''))
            FROM pg_constraint WHERE conrelid = target AND contype IN ('p', 'u', 'c', 'x') AND conname <> '{FirstPartitionBoundSql.Constraint}' ORDER BY contype DESC, conname)
            || ARRAY(
            SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ' || name || ' USING ', ' ON ' || name || ' USING ') FROM pg_index
            WHERE indrelid = target AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = target AND contype IN ('p', 'u', 'x')));
        outbound := ARRAY(
            SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', name, conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''))
            FROM pg_constraint WHERE conrelid = target AND contype = 'f' AND confrelid <> target AND conparentid = 0 ORDER BY conname);
        -- PostgreSQL adds no foreign key to a partitioned table without looking at its rows, but does to its partitions one by one.
        inbound := ARRAY(
            SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', leaf.relid::regclass, conname, regexp_replace(pg_get_constraintdef(con.oid), ' NOT VALID$', ''))
            FROM pg_constraint con CROSS JOIN LATERAL (
                SELECT relid FROM pg_partition_tree(con.conrelid) WHERE isleaf
                UNION SELECT con.conrelid FROM pg_class c WHERE c.oid = con.conrelid AND c.relkind = 'r') AS leaf
            WHERE confrelid = target AND conrelid <> target AND contype = 'f' AND conparentid = 0 ORDER BY 1);
        to_itself := ARRAY(
            SELECT format(' ADD CONSTRAINT %I %s NOT VALID', conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''))
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
            || {Belongings};
        -- The new sequence goes on where the old one is.
        FOR part IN SELECT pg_get_serial_sequence(name, attname) AS sequence FROM pg_attribute WHERE attrelid = target AND attidentity <> '' LOOP
            EXECUTE format('SELECT format(''SELECT setval(%%L, %%s, %%L)'', %L, last_value, is_called) FROM %1$s', part.sequence) INTO statement;
            hand_over := hand_over || statement;
        END LOOP;
        PERFORM set_config('search_path', search_path_before, true);
        """;

    /// <summary>Frees the names, and what may stand on one table only.</summary>
    public string MoveAside(string newName, string suffix)
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
                    CASE WHEN octet_length(part.relname || {_block.Text("_" + suffix)}) < 64 THEN part.relname || {_block.Text("_" + suffix)} ELSE 'tenancy_' || md5(part.relname) END);
            END LOOP;
            EXECUTE format('ALTER TABLE %s RENAME TO %I', target, {newName});
            old := target::text;
            """;

    public static readonly string References =
        $"""
        {TableBlockSql.RunEach("inbound")}
        FOR part IN
            SELECT relid::regclass AS leaf FROM pg_partition_tree(name::regclass) WHERE isleaf
            UNION SELECT oid::regclass FROM pg_class WHERE oid = name::regclass AND relkind = 'r'
        LOOP
            FOREACH statement IN ARRAY to_itself LOOP
                EXECUTE 'ALTER TABLE ' || part.leaf || statement;
            END LOOP;
        END LOOP;
        """;
}
