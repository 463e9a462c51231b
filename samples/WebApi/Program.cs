using System.CommandLine;
using EfTenancy;
using EfTenancy.CommandLine;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;
using WebApi;
using WebApi.Endpoints;
using WebApi.Import;
using WebApi.Model;

// The configuration would take what follows a flag of a command for the flag's value.
string[] given = [.. args.Select(a => a is "--yes" or "--list" or "--verify" ? $"{a}=true" : a)];
var builder = WebApplication.CreateBuilder(
    new WebApplicationOptions
    {
        Args = given,
        // `dotnet run --project` stays in the folder it is called from; the settings are beside the program.
        ContentRootPath = AppContext.BaseDirectory,
    });
var settings = new Dictionary<string, string> { ["--style"] = FlightTenancy.StyleKey, ["--flights"] = FlightImporter.PathKey };
builder.Configuration.AddCommandLine(given, settings);

builder.Services.AddSingleton<FlightDatabase>();
builder.Services.AddSingleton<FlightTenancy>();
builder.Services.AddSingleton<FlightPlaces>();
builder.Services.AddDbContextPool<FlightContext>((services, options) => options
    .UseNpgsql(services.GetRequiredService<FlightDatabase>().ConnectionString)
    .UseTenancy(services.GetRequiredService<FlightTenancy>().Configure));
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

if (FlightTenancy.MistakeIn(app.Configuration) is { } mistake)
{
    await Console.Error.WriteLineAsync(mistake);
    return 1;
}

// Everything up to here also runs when `dotnet ef` looks for the context; what needs a database comes after it.
var database = app.Services.GetRequiredService<FlightDatabase>();
await database.StartAsync();
await database.CreateAsync(app.Services.GetRequiredService<FlightTenancy>().DatabaseNames);
await using (var scope = app.Services.CreateAsyncScope())
{
    var airports = scope.ServiceProvider.GetRequiredService<AirportTenants>();
    if (args is not ["tenants", "migrate", ..])
    {
        await airports.MigrateAsync();
        await airports.AddIfNoneAsync();
    }

    if (args is ["tenants", ..])
    {
        var root = new RootCommand { TenantCommands.Create<FlightContext>(app.Services) };

        // They are the configuration's, and may stand behind a command.
        foreach (var setting in (string[])[.. settings.Keys, "--ConnectionStrings:Default"])
        {
            root.Add(new Option<string>(setting) { Recursive = true });
        }

        return await root.Parse(args).InvokeAsync();
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
