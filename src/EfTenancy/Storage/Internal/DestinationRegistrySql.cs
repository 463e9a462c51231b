namespace EfTenancy.Storage.Internal;

/// <summary>The SQL of the registry that says where tenants are: two tables of the home database.</summary>
public sealed class DestinationRegistrySql(string schema)
{
    public const string Active = "active";

    /// <summary>Registered, and its database or schema may not be there yet.</summary>
    public const string Adding = "adding";

    /// <summary>Read only, since its rows are being copied to its next place.</summary>
    public const string Moving = "moving";

    /// <summary>In its next place, and read only until every process knows.</summary>
    public const string Moved = "moved";

    /// <summary>In its next place; the rows in the one before are on their way out.</summary>
    public const string Emptying = "emptying";

    // Any number will do, as long as nobody else takes it: the first bytes of the hash of "EfTenancy destinations".
    private const long LockKey = 0x6C7F_21D3_09B4_E815;

    public string Schema
        => schema;

    public string Databases
        => $"{Quote(schema)}.tenant_databases";

    public string Tenants
        => $"{Quote(schema)}.tenant_destinations";

    public string Migrations
        => $"{Quote(schema)}.tenant_migrations";

    public string Create
        => $"""
            SELECT pg_advisory_xact_lock({LockKey});
            CREATE SCHEMA IF NOT EXISTS {Quote(schema)};
            CREATE TABLE IF NOT EXISTS {Databases} (
                database_name text PRIMARY KEY CHECK (database_name <> ''),
                connection_string text,
                is_full boolean NOT NULL DEFAULT false
            );
            CREATE TABLE IF NOT EXISTS {Tenants} (
                tenant_id text COLLATE "C" PRIMARY KEY CHECK (tenant_id <> ''),
                database_name text REFERENCES {Databases},
                schema_name text CHECK (schema_name <> ''),
                is_disabled boolean NOT NULL DEFAULT false,
                state text NOT NULL DEFAULT '{Active}' CHECK ({StateIsKnown}),
                assigned_at timestamptz NOT NULL DEFAULT now(),
                other_database_name text REFERENCES {Databases},
                other_schema_name text CHECK (other_schema_name <> ''),
                proof text,
                changed_at timestamptz NOT NULL DEFAULT now()
            );
            CREATE TABLE IF NOT EXISTS {Migrations} (
                context text,
                database_name text,
                schema_name text,
                migration_id text,
                error text,
                milliseconds bigint NOT NULL,
                ended_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (context, database_name, schema_name)
            );
            """;

    /// <summary>What registries of earlier versions lack. Older processes go on with it.</summary>
    public string Upgrade
        => $"""
            SET LOCAL lock_timeout = '5s';
            SELECT pg_advisory_xact_lock({LockKey});
            ALTER TABLE {Tenants}
                ADD COLUMN IF NOT EXISTS other_database_name text REFERENCES {Databases},
                ADD COLUMN IF NOT EXISTS other_schema_name text CHECK (other_schema_name <> ''),
                ADD COLUMN IF NOT EXISTS proof text,
                ADD COLUMN IF NOT EXISTS changed_at timestamptz NOT NULL DEFAULT now(),
                DROP CONSTRAINT IF EXISTS tenant_destinations_state_check,
                ADD CONSTRAINT tenant_destinations_state_check CHECK ({StateIsKnown})
            """;

    private static string StateIsKnown
        => $"state IN ('{Adding}', '{Active}', '{Moving}', '{Moved}', '{Emptying}')";

    public string SelectDatabases
        => $"SELECT database_name, connection_string, is_full FROM {Databases} ORDER BY database_name COLLATE \"C\"";

    public string SelectTenants
        => $"""
            SELECT tenant_id, database_name, schema_name, is_disabled, state, other_database_name, other_schema_name, proof
            FROM {Tenants} ORDER BY tenant_id
            """;

    public string UpsertDatabase
        => $"""
            INSERT INTO {Databases} (database_name, connection_string) VALUES (@name, @connection_string)
            ON CONFLICT (database_name) DO UPDATE SET connection_string = COALESCE(excluded.connection_string, {Databases}.connection_string)
            """;

    public string SetFull
        => $"UPDATE {Databases} SET is_full = @is_full WHERE database_name = @name";

    /// <summary>Until the end of the transaction nobody else is assigned a place.</summary>
    public static string Lock
        => $"SELECT pg_advisory_xact_lock({LockKey})";

    /// <summary>The row that is there already wins.</summary>
    public string InsertTenant
        => $"""
            INSERT INTO {Tenants} (tenant_id, database_name, schema_name, state) VALUES (@tenant_id, @database_name, @schema_name, @state)
            ON CONFLICT (tenant_id) DO NOTHING
            """;

    public string Activate
        => $"UPDATE {Tenants} SET state = '{Active}' WHERE tenant_id = @tenant_id AND state = '{Adding}'";

    public string SetDisabled
        => $"UPDATE {Tenants} SET is_disabled = @is_disabled WHERE tenant_id = ANY(@tenant_ids)";

    /// <summary>A tenant without a row is at home.</summary>
    public string StartMove
        => $"""
            INSERT INTO {Tenants} (tenant_id, state, other_database_name, other_schema_name, changed_at)
            VALUES (@tenant_id, '{Moving}', @database_name, @schema_name, clock_timestamp())
            ON CONFLICT (tenant_id) DO UPDATE SET state = excluded.state, other_database_name = excluded.other_database_name,
                other_schema_name = excluded.other_schema_name, changed_at = excluded.changed_at
            WHERE {Tenants}.state = '{Active}'
            """;

    /// <summary>The one change that takes a tenant from one place to the other.</summary>
    public string SwitchPlaces
        => $"""
            UPDATE {Tenants} SET database_name = other_database_name, schema_name = other_schema_name, other_database_name = database_name,
                other_schema_name = schema_name, state = '{Moved}', proof = @proof, assigned_at = now(), changed_at = clock_timestamp()
            WHERE tenant_id = @tenant_id AND state = '{Moving}'
            """;

    public string LetWrite
        => $"UPDATE {Tenants} SET state = '{Emptying}', changed_at = clock_timestamp() WHERE tenant_id = @tenant_id AND state = '{Moved}'";

    /// <summary>The other place has nothing of the tenant any more.</summary>
    public string EndMove
        => $"""
            UPDATE {Tenants} SET state = '{Active}', other_database_name = NULL, other_schema_name = NULL, proof = NULL, changed_at = clock_timestamp()
            WHERE tenant_id = @tenant_id AND state = @state
            """;

    public string SelectMillisecondsSinceChange
        => $"SELECT (EXTRACT(EPOCH FROM clock_timestamp() - changed_at) * 1000)::float8 FROM {Tenants} WHERE tenant_id = @tenant_id";

    public string TouchMove
        => $"UPDATE {Tenants} SET changed_at = changed_at WHERE tenant_id = @tenant_id AND state = '{Moving}'";

    /// <summary>Of the session, so that a tenant is moved by one process at a time.</summary>
    public static string TryLockMove
        => $"SELECT pg_try_advisory_lock(hashtextextended(@tenant_id, {LockKey}))";

    public static string UnlockMove
        => $"SELECT pg_advisory_unlock(hashtextextended(@tenant_id, {LockKey}))";

    /// <summary>Until the end of the transaction: what a killed process left to the server ends before.</summary>
    public static string LockCopy
        => $"SELECT pg_advisory_xact_lock(hashtextextended(@tenant_id, {LockKey} # 1))";

    public string DeleteTenants
        => $"DELETE FROM {Tenants} WHERE tenant_id = ANY(@tenant_ids) AND state IN ('{Adding}', '{Active}')";

    /// <summary>
    ///     What was told of a place, <c>@database_name</c> and <c>@schema_name</c>, that no tenant has any more; and the database itself, if it
    ///     <c>@is_made</c> for one tenant rather than told of by the application.
    /// </summary>
    public string ForgetPlace
        => $"""
            DELETE FROM {Migrations}
            WHERE database_name = COALESCE(@database_name, '') AND schema_name = COALESCE(@schema_name, '')
                AND NOT EXISTS (
                    SELECT FROM {Tenants} t WHERE (t.database_name, t.schema_name) IS NOT DISTINCT FROM (@database_name, @schema_name)
                        OR (t.state IN ('{Moving}', '{Moved}', '{Emptying}')
                            AND (t.other_database_name, t.other_schema_name) IS NOT DISTINCT FROM (@database_name, @schema_name)));
            DELETE FROM {Databases} d
            WHERE @is_made AND d.database_name = @database_name AND d.connection_string IS NULL
                AND NOT EXISTS (SELECT FROM {Tenants} t WHERE d.database_name IN (t.database_name, t.other_database_name))
            """;

    public string SelectMigrations
        => $"SELECT database_name, schema_name, migration_id, error IS NOT NULL FROM {Migrations} WHERE context = @context AND migration_id IS NOT NULL";

    public string UpsertMigration
        => $"""
            INSERT INTO {Migrations} (context, database_name, schema_name, migration_id, error, milliseconds)
            VALUES (@context, @database_name, @schema_name, @migration_id, @error, @milliseconds)
            ON CONFLICT (context, database_name, schema_name) DO UPDATE
            SET migration_id = excluded.migration_id, error = excluded.error, milliseconds = excluded.milliseconds, ended_at = now()
            """;

    public static string CreateDatabase(string database, string? template)
        => $"CREATE DATABASE {Quote(database)}" + (template is null ? "" : $" TEMPLATE {Quote(template)}");

    /// <summary>Two sessions that make the same at once do not see each other's, in spite of IF NOT EXISTS.</summary>
    public static string CreateSchema(string schema)
        => "DO " + SqlLiteral.Of($"BEGIN CREATE SCHEMA IF NOT EXISTS {Quote(schema)}; EXCEPTION WHEN unique_violation OR duplicate_schema THEN NULL; END");

    public static string DropDatabase(string database)
        => $"DROP DATABASE IF EXISTS {Quote(database)} WITH (FORCE)";

    /// <summary>Tables and sizes of schemas, <c>@schemas</c>; null among them is for the search path.</summary>
    public static string SelectSizes
        => """
            SELECT s.name, COALESCE(sum(GREATEST(c.reltuples, 0)), 0)::int8, COALESCE(sum(pg_table_size(c.oid) + pg_indexes_size(c.oid)), 0)::int8
            FROM unnest(@schemas) AS s (name)
            LEFT JOIN pg_class c ON c.relnamespace = COALESCE(to_regnamespace(quote_ident(s.name)), to_regnamespace(quote_ident(current_schema())))
                AND c.relkind = 'r'
            GROUP BY s.name
            """;

    /// <summary>Those of the schemas, <c>@schemas</c>, that are not there.</summary>
    public static string SelectMissingSchemas
        => "SELECT ARRAY(SELECT unnest(@schemas) EXCEPT SELECT nspname::text FROM pg_namespace)";

    public static string Truncate(IEnumerable<string> delimitedTables)
        => $"TRUNCATE {string.Join(", ", delimitedTables)} CASCADE";

    public static string DropSchema(string schema)
        => $"DROP SCHEMA IF EXISTS {Quote(schema)} CASCADE";

    /// <summary>Whether a schema, <c>@schema</c>, has tables; without one, any schema but that of the registry. Tables of extensions do not count.</summary>
    public static string HasTables
        => """
            SELECT EXISTS (
                SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p')
                    AND CASE WHEN @schema IS NULL
                        THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname IS DISTINCT FROM @registry
                        ELSE n.nspname = @schema END
                    AND NOT EXISTS (
                        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'x')))
            """;

    public static string Quote(string identifier)
        => '"' + identifier.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';
}
