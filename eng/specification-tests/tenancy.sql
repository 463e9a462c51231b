-- What databases of the tests get with tenancy, by way of template1. In pg_catalog, where the tests' cleaner does not look for things to drop.

-- Raw SQL of the tests names no tenant.
CREATE FUNCTION pg_catalog.spec_tenant_default(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ALTER COLUMN "SpecTenantId" SET DEFAULT ''*DEFAULT*''', target);
END $$;

CREATE FUNCTION pg_catalog.spec_has_tenant(target regclass) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attrelid = target AND a.attname = 'SpecTenantId' AND NOT a.attisdropped AND c.relkind IN ('r', 'p'))
$$;

-- A twin of each row for another tenant, in the mode decoys. A twin's own foreign keys and triggers do not count.
CREATE FUNCTION pg_catalog.spec_add_twin() RETURNS trigger LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE
    columns text;
    twin text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
           string_agg(CASE attname WHEN 'SpecTenantId' THEN '''decoy''' ELSE '($1).' || quote_ident(attname) END, ', ' ORDER BY attnum)
    INTO columns, twin
    FROM pg_attribute WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped AND attgenerated = '';

    EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s) ON CONFLICT DO NOTHING', TG_RELID::regclass, columns, twin)
    USING NEW;
    RETURN NULL;
END $$;

CREATE FUNCTION pg_catalog.spec_refuse_twin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'DECOY: % of a row of another tenant in %', TG_OP, TG_RELID::regclass;
END $$;

CREATE FUNCTION pg_catalog.spec_add_decoys(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('spec.mode', true) IS DISTINCT FROM 'decoys' THEN
        RETURN;
    END IF;

    EXECUTE format(
        'CREATE OR REPLACE TRIGGER zz_spec_add_twin AFTER INSERT ON %s FOR EACH ROW WHEN (NEW."SpecTenantId" = ''*DEFAULT*'')
            EXECUTE FUNCTION pg_catalog.spec_add_twin()', target);
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER aa_spec_refuse_twin BEFORE UPDATE OR DELETE ON %s FOR EACH ROW WHEN (OLD."SpecTenantId" <> ''*DEFAULT*'')
            EXECUTE FUNCTION pg_catalog.spec_refuse_twin()', target);
END $$;

-- A command can name its table more than once.
CREATE FUNCTION pg_catalog.spec_table_created() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_catalog.spec_tenant_default(objid), pg_catalog.spec_add_decoys(objid)
    FROM pg_event_trigger_ddl_commands()
    WHERE object_type = 'table' AND pg_catalog.spec_has_tenant(objid);
END $$;

CREATE EVENT TRIGGER spec_table_created ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION pg_catalog.spec_table_created();

-- Tables that a script has made: the column, the tenant first in all keys unless those are ids only, and a view that shows whole rows.
CREATE FUNCTION pg_catalog.spec_add_tenant_columns() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    item record;
    keys jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('place', conrelid::regclass::text, 'name', conname, 'type', contype, 'text',
        regexp_replace(
            regexp_replace(pg_get_constraintdef(oid), '\(', '("SpecTenantId", '),
            'REFERENCES ([^(]+)\(', 'REFERENCES \1("SpecTenantId", ')))
    INTO keys
    FROM pg_constraint WHERE contype IN ('p', 'u', 'f') AND connamespace = 'public'::regnamespace
        AND current_setting('spec.mode', true) IS DISTINCT FROM 'ids';

    FOR item IN SELECT * FROM jsonb_to_recordset(keys) AS k (place text, name text, type text) ORDER BY type <> 'f' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.place, item.name);
    END LOOP;

    FOR item IN SELECT oid::regclass::text AS place FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN "SpecTenantId" text NOT NULL DEFAULT ''*DEFAULT*''', item.place);
    END LOOP;

    FOR item IN SELECT * FROM jsonb_to_recordset(keys) AS k (place text, name text, type text, text text) ORDER BY type = 'f' LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', item.place, item.name, item.text);
    END LOOP;

    EXECUTE 'CREATE OR REPLACE VIEW "Alphabetical list of products" AS '
        || replace(
            regexp_replace(pg_get_viewdef('"Alphabetical list of products"'::regclass), '\s+FROM ', ', "Products"."SpecTenantId" FROM '),
            'WHERE (', 'WHERE "Categories"."SpecTenantId" = "Products"."SpecTenantId" AND (');

    IF current_setting('spec.mode', true) = 'decoys' THEN
        SET LOCAL session_replication_role = replica;
        FOR item IN SELECT oid::regclass AS place FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
            EXECUTE (
                SELECT format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %1$s', item.place,
                    string_agg(quote_ident(attname), ', ' ORDER BY attnum),
                    string_agg(CASE attname WHEN 'SpecTenantId' THEN '''decoy''' ELSE quote_ident(attname) END, ', ' ORDER BY attnum))
                FROM pg_attribute WHERE attrelid = item.place AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
        END LOOP;
        SET LOCAL session_replication_role = origin;

        PERFORM pg_catalog.spec_add_decoys(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace;
    END IF;
END $$;
