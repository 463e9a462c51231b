using EfTenancy.Infrastructure.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     The rules of tenant ids in PL/pgSQL, for ids that are found in rows. An id that the application would refuse, or make another one of,
///     is no tenant's: registered, it could be neither read nor removed, and who wanted to remove it would remove the other.
/// </summary>
public sealed class TenantIdSql(IRelationalTypeMappingSource typeMappingSource, CurrentTenant tenant)
{
    private const string Found = "{tenants}";

    private readonly RelationalTypeMapping _text = typeMappingSource.FindMapping(typeof(string))!;

    /// <summary>Fails if there are such ids among those of an array.</summary>
    public string Refuse(string tenants, string table)
        => tenant.IdConverter.StoredType != typeof(string)
            ? ""
            : $"""
            IF EXISTS ({OutOfReach(tenants)}) THEN
                RAISE EXCEPTION USING MESSAGE = replace({Text(TenancyStrings.TenantsOutOfReach(table, Found))}, '{Found}',
                    (SELECT string_agg(quote_literal(left(v, 50)), ', ') FROM ({OutOfReach(tenants)} ORDER BY v COLLATE "C" LIMIT 10) AS u));
            END IF;
            """;

    private string OutOfReach(string tenants)
        => $"""
            SELECT v FROM unnest({tenants}) AS v WHERE v <> {Text(TenancyDefaults.DefaultTenantId)}
            AND (v !~ '\S' OR length(v) > {tenant.MaxTenantIdLength} OR v ~ '[\u0001-\u001F\u007F-\u009F]'{OtherStyle})
            """;

    private string OtherStyle
        => tenant.TenantIdStyle switch
        {
            TenantIdStyle.ForceLowerCase => " OR v <> lower(v)",
            TenantIdStyle.ForceUpperCase => " OR v <> upper(v)",
            _ => "",
        };

    private string Text(string text)
        => _text.GenerateSqlLiteral(text);
}
