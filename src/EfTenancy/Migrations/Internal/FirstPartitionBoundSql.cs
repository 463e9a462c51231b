using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     PL/pgSQL for the tenants, <c>tenants</c>, that the first partition of a table will be for: a constraint that keeps others out, and that is
///     validated beforehand, so that the switch need not look at the rows.
/// </summary>
public sealed class FirstPartitionBoundSql(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    // Its comment keeps the tenants in the one order that PostgreSQL accepts as a proof beyond a hundred of them.
    public const string Constraint = "tenancy_bound";

    public const string Literals
        = "(SELECT string_agg(quote_literal(v), ', ' ORDER BY n) FROM unnest(tenants) WITH ORDINALITY AS u (v, n))";

    private readonly TableBlockSql _block = new(sqlGenerationHelper, typeMappingSource);

    public string Add(string column)
        => $"""
            EXECUTE format(
                'ALTER TABLE %s ADD CONSTRAINT {Constraint} CHECK (%I IS NOT NULL AND %s) NOT VALID',
                target, {_block.Text(column)}, CASE WHEN tenants = ARRAY[]::text[] THEN 'false' ELSE format('%I IN (%s)', {_block.Text(column)}, {Literals}) END);
            EXECUTE format('COMMENT ON CONSTRAINT {Constraint} ON %s IS %L', target, tenants);
            """;

    /// <summary>Fails for more tenants than one partition can be for, before the table is closed to others.</summary>
    public string RefuseTooMany(string table, string? schema, string column)
    {
        // How many depends on their length and on how well they compress; PostgreSQL knows.
        var prefix = schema is null ? "" : sqlGenerationHelper.DelimitIdentifier(schema).Replace("%", "%%", StringComparison.Ordinal) + ".";
        return $"""
            IF cardinality(tenants) > 0 THEN
                BEGIN
                    EXECUTE format({_block.Text($"CREATE TABLE {prefix}%I (LIKE %s) PARTITION BY LIST (%I)")}, 'tenancy_trial_' || target::oid, target, {_block.Text(column)});
                    EXECUTE format({_block.Text($"CREATE TABLE {prefix}%I PARTITION OF {prefix}%I FOR VALUES IN (%s)")},
                        'tenancy_trial_part_' || target::oid, 'tenancy_trial_' || target::oid, {Literals});
                    RAISE EXCEPTION USING ERRCODE = 'TN000';
                EXCEPTION
                    WHEN SQLSTATE 'TN000' THEN
                        NULL;
                    WHEN program_limit_exceeded THEN
                        RAISE EXCEPTION USING MESSAGE = replace({_block.Text(TenancyStrings.FirstPartitionHasTooManyTenants(table, "{count}"))}, '{"{count}"}', cardinality(tenants)::text);
                END;
            END IF;
            """;
    }
}
