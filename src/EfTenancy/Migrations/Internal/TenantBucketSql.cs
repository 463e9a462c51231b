namespace EfTenancy.Migrations.Internal;

/// <summary>
///     PL/pgSQL for a table whose rows become the shared first partition of a table that follows the registry. Its tenants are
///     registered with the suffix of that partition. It takes the rows of all registered tenants until they are split off, also of those that
///     have none yet: were they left out, they would be refused while the rows are looked at.
/// </summary>
public sealed class TenantBucketSql(TenantRegistrySql registry, TenantIdSql ids, string suffix)
{
    public string Lock
        => registry.Locked;

    /// <summary>The tenants of rows, <c>tenants</c>, are registered unless they are.</summary>
    public string Register(string table)
        => ids.Refuse("tenants", table) + "\n" + registry.Register("tenants", suffix, table);

    public string All(string tenants)
        => registry.WithRegistered(tenants);

    /// <summary>
    ///     <c>tenants</c>, which are null where the old table goes. Who was registered since they were written down gets a partition, but not
    ///     under the name of the shared one.
    /// </summary>
    public string Widen
        => $"""
            IF has_rows THEN
                tenants := {registry.WithRegistered("tenants", registry.SharesSuffix(suffix, "tenants"))};
            ELSE
                tenants := NULL;
            END IF;
            """;

    public string CreateOtherPartitions(string table, string? schema)
        => registry.CreatePartitions(table, schema, "coalesce(tenants, ARRAY[]::text[])");
}
