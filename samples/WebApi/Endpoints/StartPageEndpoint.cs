using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using WebApi.Model;

namespace WebApi.Endpoints;

public static class StartPageEndpoint
{
    public static void MapStartPage(this IEndpointRouteBuilder endpoints)
        => endpoints.MapGet("/", GetAsync).ExcludeFromDescription();

    private static async Task<ContentHttpResult> GetAsync(
        FlightPlaces places,
        FlightTenancy tenancy,
        HttpRequest request,
        IServiceProvider services,
        ILoggerFactory loggerFactory,
        CancellationToken cancellationToken)
    {
        // The catalog tells the partitions, empty ones too; tableoid tells which of them a row lies in. A schema of one tenant has none.
        var rows = await places.AtEachAsync(
            async (place, db) => (await db.Database.SqlQuery<PartitionRow>(
                $"""
                SELECT c.relname AS "Partition", pg_get_expr(c.relpartbound, 0) AS "Bound",
                    f."TenantId" AS "Tenant", coalesce(f.count, 0) AS "Flights", pg_total_relation_size(c.oid) AS "Bytes"
                FROM pg_class c
                LEFT JOIN (SELECT tableoid, "TenantId", count(*) FROM "Flights" GROUP BY 1, 2) f ON f.tableoid = c.oid
                WHERE c.relkind = 'r' AND (c.oid = '"Flights"'::regclass
                    OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = '"Flights"'::regclass))
                """).ToListAsync(cancellationToken)).ConvertAll(p => new StartPageRow(place, p)),
            cancellationToken);

        var parameters = ParameterView.FromDictionary(
            new Dictionary<string, object?>
            {
                [nameof(StartPage.Rows)] = rows.OrderByDescending(r => r.Partition.Flights).ThenBy(r => r.Partition.Partition, StringComparer.Ordinal).ToList(),
                [nameof(StartPage.Style)] = tenancy.Style,
                [nameof(StartPage.Address)] = $"{request.Scheme}://{request.Host}",
            });

        // A page without forms needs none of the services of AddRazorComponents(), which keep keys in the user's home.
        await using var renderer = new HtmlRenderer(services, loggerFactory);
        var html = await renderer.Dispatcher.InvokeAsync(
            async () => (await renderer.RenderComponentAsync<StartPage>(parameters)).ToHtmlString());
        return TypedResults.Text(html, "text/html; charset=utf-8");
    }
}

public record PartitionRow(string Partition, string? Bound, string? Tenant, long Flights, long Bytes);

public record StartPageRow(FlightPlace Place, PartitionRow Partition)
{
    /// <summary>Whose rows they are; null for a partition of a place with several tenants as long as it is empty.</summary>
    public string? Tenant
        => Partition.Tenant ?? (Place.Tenants is [var only] ? only : null);
}
