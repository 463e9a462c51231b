namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Questions to the catalog about partitions that were split.</summary>
internal static class SplitCatalog
{
    /// <summary>Whatever a split makes for itself.</summary>
    public const string Leftovers =
        """
        SELECT 'table ' || relname FROM pg_class WHERE relname LIKE 'tenancy%'
        UNION ALL SELECT 'detached ' || c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'TenantId'
            WHERE c.relkind = 'r' AND NOT c.relispartition
        UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE 'tenancy%'
        UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE proname LIKE 'tenancy%'
        UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE conname LIKE 'tenancy%'
        UNION ALL SELECT 'comment ' || description FROM pg_description WHERE description LIKE '%SplitAsync%'
        UNION ALL SELECT 'detach' FROM pg_inherits WHERE inhdetachpending
        """;

    /// <summary>Columns, constraints, indexes, triggers, rights and options of the partitions of a suffix, with what they inherit from.</summary>
    public static string Shape(string suffix)
        => $"""
            WITH p AS (
                SELECT c.*, i.inhparent FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.relkind = 'r' AND c.relname LIKE '%\_{suffix}'
            )
            SELECT concat_ws(' ', 'table', relname, inhparent::regclass, relowner::regrole, nullif(relacl::text, acldefault('r', relowner)::text), reloptions, relrowsecurity, relforcerowsecurity,
                relreplident, relpersistence, obj_description(oid, 'pg_class'), relnamespace::regnamespace) FROM p
            UNION ALL SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attcollation,
                attstorage, attcompression, attislocal, attinhcount, attacl, pg_get_expr(adbin, adrelid))
                FROM p JOIN pg_attribute a ON attrelid = p.oid AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef d ON adrelid = p.oid AND adnum = attnum
            UNION ALL SELECT concat_ws(' ', 'constraint', relname, con.conname, pg_get_constraintdef(con.oid), con.convalidated, con.conislocal, con.coninhcount, parent.conname)
                FROM p JOIN pg_constraint con ON con.conrelid = p.oid LEFT JOIN pg_constraint parent ON parent.oid = con.conparentid
            UNION ALL SELECT concat_ws(' ', 'referenced', relname, con.conrelid::regclass, con.convalidated, parent.conname)
                FROM p JOIN pg_constraint con ON con.confrelid = p.oid JOIN pg_constraint parent ON parent.oid = con.conparentid
            UNION ALL SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid, inhparent.inhparent::regclass)
                FROM p JOIN pg_index ON indrelid = p.oid LEFT JOIN pg_inherits inhparent ON inhparent.inhrelid = indexrelid
            UNION ALL SELECT concat_ws(' ', 'trigger', relname, CASE WHEN tgisinternal THEN tgfoid::regproc::text ELSE pg_get_triggerdef(t.oid) END, tgenabled, tgparentid <> 0)
                FROM p JOIN pg_trigger t ON tgrelid = p.oid
            UNION ALL SELECT concat_ws(' ', 'policy', relname, polname, pg_get_expr(polqual, polrelid)) FROM p JOIN pg_policy ON polrelid = p.oid
            UNION ALL SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(s.oid)) FROM p JOIN pg_statistic_ext s ON stxrelid = p.oid
            ORDER BY 1
            """;
}
