using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>Empties places: of exactly the rows that were proved to be in the next one, of what held nothing else, or of all that one tenant has.</summary>
public static class TenantPlaceCleaner
{
    // Those of a schema that hold something, except these.
    private const string TablesSql =
        """
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = @schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.oid NOT IN (SELECT COALESCE(to_regclass(name)::oid, 0) FROM unnest(@known) AS k(name))
        """;

    /// <summary>Deletes all rows or none.</summary>
    /// <exception cref="InvalidOperationException">There are others than those that were copied.</exception>
    public static async Task DeleteAsync(
        TenantSite site,
        TransferConnection connection,
        TransferCatalog catalog,
        IReadOnlyList<CopiedTable>? copied,
        CancellationToken cancellationToken)
    {
        var proofs = copied?.ToDictionary(t => t.Table, t => t.Proof);
        foreach (var group in catalog.Groups.Reverse())
        {
            var deleted = (await connection.Session.QueryAsync(
                TransferSql.Delete(group),
                r => group.Select((_, i) => new TableProof(r.GetInt64(2 * i), r.GetString((2 * i) + 1))).ToList(),
                cancellationToken).ConfigureAwait(false))[0];
            foreach (var (table, proof) in group.Zip(deleted))
            {
                if (proofs is not null && proof.Rows > 0 && proof != proofs.GetValueOrDefault(table.Key))
                {
                    throw new InvalidOperationException(
                        TenancyStrings.RowsCameLate(site.TenantId, table.Key, site.Destination, proof.Rows, proofs.GetValueOrDefault(table.Key)?.Rows ?? 0));
                }
            }
        }
    }

    /// <summary>Drops the tenant's own schema, unless a table in it that the model does not know has rows.</summary>
    public static async Task DropSchemaAsync(
        TenantSite site,
        TransferConnection connection,
        string schema,
        CancellationToken cancellationToken)
    {
        var known = site.Database.TablesOfModel.Tables.Select(t => site.Database.Sql.DelimitIdentifier(t.Name, t.Schema ?? schema))
            .Append(site.Database.Sql.DelimitIdentifier(site.HistoryTable, schema)).ToArray();
        var unknown = await connection.Session.QueryAsync(
            TablesSql, r => r.GetString(0), cancellationToken,
            new NpgsqlParameter("schema", schema), TenantCatalog.Parameter("known", NpgsqlDbType.Text, known)).ConfigureAwait(false);
        foreach (var table in unknown)
        {
            if ((await connection.Session.QueryAsync(
                $"SELECT 1 FROM {table} LIMIT 1", r => true, cancellationToken).ConfigureAwait(false)).Count > 0)
            {
                return;
            }
        }

        await connection.ExecuteAsync(DestinationRegistrySql.DropSchema(schema), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Empties the tables of a place that is one tenant's own, all at once.</summary>
    public static async Task TruncateAsync(DbContext context, TenantPlace place, CancellationToken cancellationToken)
    {
        var helper = context.GetService<ISqlGenerationHelper>();
        var hasTenants = context.Model.HasMultiTenantedEntities();
        var tables = context.GetService<IDesignTimeModel>().Model.GetRelationalModel().Tables
            .Where(t => !t.IsExcludedFromMigrations && (t.Schema is null || !place.NeedsSearchPath))
            .Where(t => !hasTenants || t.EntityTypeMappings.Any(m => ((IEntityType)m.TypeBase).FindTenantProperty() is not null))
            .Select(t => helper.DelimitIdentifier(t.Name, t.Schema)).ToList();
        if (tables.Count > 0)
        {
#pragma warning disable EF1002 // Names of the model's tables, delimited.
            await context.Database.ExecuteSqlRawAsync(DestinationRegistrySql.Truncate(tables), cancellationToken).ConfigureAwait(false);
#pragma warning restore EF1002
        }
    }
}
