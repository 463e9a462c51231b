namespace EfTenancy.Storage.Internal;

/// <summary>The SQL of the registry that says where tenants are: two tables of the home database.</summary>
public sealed class DestinationRegistrySql(string schema)
{
    public const string Active = "active";

    /// <summary>Registered, and its database or schema may not be there yet.</summary>
    public const string Adding = "adding";

    /// <summary>Read only, since its rows are being moved.</summary>
    public const string Moving = "moving";

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
                state text NOT NULL DEFAULT '{Active}' CHECK (state IN ('{Adding}', '{Active}', '{Moving}')),
                assigned_at timestamptz NOT NULL DEFAULT now()
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

    public string SelectDatabases
        => $"SELECT database_name, connection_string, is_full FROM {Databases} ORDER BY database_name COLLATE \"C\"";

    public string SelectTenants
        => $"SELECT tenant_id, database_name, schema_name, is_disabled, state FROM {Tenants} ORDER BY tenant_id";

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

    public string SetDestination
        => $"""
            UPDATE {Tenants} SET database_name = @database_name, schema_name = @schema_name, state = @state, assigned_at = now()
            WHERE tenant_id = @tenant_id
            """;

    public string DeleteTenants
        => $"DELETE FROM {Tenants} WHERE tenant_id = ANY(@tenant_ids)";

    public string SelectMigrations
        => $"SELECT database_name, schema_name, migration_id FROM {Migrations} WHERE context = @context AND error IS NULL";

    public string UpsertMigration
        => $"""
            INSERT INTO {Migrations} (context, database_name, schema_name, migration_id, error, milliseconds)
            VALUES (@context, @database_name, @schema_name, @migration_id, @error, @milliseconds)
            ON CONFLICT (context, database_name, schema_name) DO UPDATE
            SET migration_id = excluded.migration_id, error = excluded.error, milliseconds = excluded.milliseconds, ended_at = now()
            """;

    public static string CreateDatabase(string database, string? template)
        => $"CREATE DATABASE {Quote(database)}" + (template is null ? "" : $" TEMPLATE {Quote(template)}");

    public static string CreateSchema(string schema)
        => $"CREATE SCHEMA IF NOT EXISTS {Quote(schema)}";

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
