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
        FlightContext db,
        HttpRequest request,
        IServiceProvider services,
        ILoggerFactory loggerFactory,
        CancellationToken cancellationToken)
    {
        // The catalog tells the partitions, empty ones too; tableoid tells which of them a row lies in.
        var partitions = await db.Database.SqlQuery<PartitionRow>(
            $"""
            SELECT c.relname AS "Partition", pg_get_expr(c.relpartbound, c.oid) AS "Bound",
                f."TenantId" AS "Tenant", coalesce(f.count, 0) AS "Flights", pg_total_relation_size(c.oid) AS "Bytes"
            FROM pg_inherits i
            JOIN pg_class c ON c.oid = i.inhrelid
            LEFT JOIN (SELECT tableoid, "TenantId", count(*) FROM "Flights" GROUP BY 1, 2) f ON f.tableoid = c.oid
            WHERE i.inhparent = '"Flights"'::regclass
            ORDER BY "Flights" DESC, "Partition"
            """).ToListAsync(cancellationToken);

        var parameters = ParameterView.FromDictionary(
            new Dictionary<string, object?>
            {
                [nameof(StartPage.Partitions)] = partitions,
                [nameof(StartPage.Address)] = $"{request.Scheme}://{request.Host}",
            });

        // A page without forms needs none of the services of AddRazorComponents(), which keep keys in the user's home.
        await using var renderer = new HtmlRenderer(services, loggerFactory);
        var html = await renderer.Dispatcher.InvokeAsync(
            async () => (await renderer.RenderComponentAsync<StartPage>(parameters)).ToHtmlString());
        return TypedResults.Text(html, "text/html; charset=utf-8");
    }
}

public record PartitionRow(string Partition, string Bound, string? Tenant, long Flights, long Bytes);
