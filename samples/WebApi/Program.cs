using System.CommandLine;
using EfTenancy;
using EfTenancy.CommandLine;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;
using WebApi;
using WebApi.Endpoints;
using WebApi.Import;
using WebApi.Model;

var builder = WebApplication.CreateBuilder(
    new WebApplicationOptions
    {
        Args = args,
        // `dotnet run --project` stays in the folder it is called from; the settings are beside the program.
        ContentRootPath = AppContext.BaseDirectory,
    });
builder.Configuration.AddCommandLine(args, new Dictionary<string, string> { ["--flights"] = FlightImporter.PathKey });

builder.Services.AddSingleton<FlightDatabase>();
builder.Services.AddDbContextPool<FlightContext>((services, options) => options
    .UseNpgsql(services.GetRequiredService<FlightDatabase>().ConnectionString)
    .UseTenancy(tenancy => tenancy
        .AllEntitiesAreMultiTenanted()
        .PartitionMultiTenantedEntitiesManaged(schema: "tenants")
        .DisableDefaultTenant()));
builder.Services.AddTenantAdministration<FlightContext>();

// A pooled context outlives requests, so the accessor is a singleton that looks up the request of the moment.
builder.Services.AddHttpContextAccessor();
builder.Services.AddSingleton<ITenantAccessor, HttpTenantAccessor>();

builder.Services.AddSingleton(_ => AnsiConsole.Create(
    new AnsiConsoleSettings { Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect }));
builder.Services.AddScoped<FlightImporter>();
builder.Services.AddScoped<AirportTenants>();

builder.Services.AddProblemDetails();
builder.Services.AddExceptionHandler<TenancyExceptionHandler>();
builder.Services.AddValidation();
builder.Services.AddOpenApi();

await using var app = builder.Build();

// Everything up to here also runs when `dotnet ef` looks for the context; what needs a database comes after it.
await app.Services.GetRequiredService<FlightDatabase>().StartAsync();
await using (var scope = app.Services.CreateAsyncScope())
{
    await scope.ServiceProvider.GetRequiredService<FlightContext>().Database.MigrateAsync();
    await scope.ServiceProvider.GetRequiredService<AirportTenants>().AddIfNoneAsync();
    if (args is ["tenants", ..])
    {
        return await new RootCommand { TenantCommands.Create<FlightContext>(app.Services) }.Parse(args).InvokeAsync();
    }

    await scope.ServiceProvider.GetRequiredService<FlightImporter>().ImportIfEmptyAsync();
}

app.UseExceptionHandler();
app.UseStatusCodePages();

app.MapOpenApi();
app.MapStartPage();
app.MapAirports();
app.MapOperatorReport();
app.MapTenants();

var tenant = app.MapGroup("").RequireTenant();
tenant.MapFlights();
tenant.MapNotes();
tenant.MapDelays();

await app.RunAsync();
return 0;
