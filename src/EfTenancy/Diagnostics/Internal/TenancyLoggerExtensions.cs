using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfTenancy.Diagnostics.Internal;

/// <summary>One method for each event; some are counted as well, whoever logs them.</summary>
public static class TenancyLoggerExtensions
{
    public static void TenantSet(
        this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context, string tenantId)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).TenantSet, context, tenantId,
            (context, tenantId),
            static (d, m, s) => new TenantEventData(d, m, s.context, s.tenantId));

    public static void DefaultTenantUsed(this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).DefaultTenantUsed, context, TenancyDefaults.DefaultTenantId,
            context,
            static (d, m, c) => new TenantEventData(d, m, c, TenancyDefaults.DefaultTenantId));

    public static void AcrossTenantsEntered(
        this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context, string reason)
    {
        TenancyMeter.AcrossTenantsEntered();
        Dispatch(
            diagnostics, DefinitionsOf(diagnostics).AcrossTenantsEntered, context, reason,
            (context, reason),
            static (d, m, s) => new AcrossTenantsEventData(d, m, s.context, s.reason));
    }

    public static void TenantsElsewhereNotRead(
        this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context, TenantDestination destination)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).TenantsElsewhereNotRead, context, destination.ToString(),
            context,
            static (d, m, c) => new DbContextEventData(d, m, c));

    public static void CrossTenantQuery(this IDiagnosticsLogger<DbLoggerCategory.Query> diagnostics, DbContext context, string predicate)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).CrossTenantQuery, context, predicate,
            context,
            static (d, m, c) => new DbContextEventData(d, m, c));

    public static void CrossTenantWriteRefused(
        this IDiagnosticsLogger<DbLoggerCategory.Update> diagnostics, DbContext context, string? rowTenantId, string message)
    {
        TenancyMeter.CrossTenantWriteRefused();
        Dispatch(
            diagnostics, DefinitionsOf(diagnostics).CrossTenantWriteRefused, context, message,
            (context, rowTenantId),
            static (d, m, s) => new TenantEventData(d, m, s.context, s.rowTenantId));
    }

    public static void UnknownTenantRefused(
        this IDiagnosticsLogger<DbLoggerCategory.Update> diagnostics, DbContext context, UnknownTenantException exception)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).UnknownTenantRefused, context, exception.Message,
            (context, tenantId: exception.TenantId),
            static (d, m, s) => new TenantEventData(d, m, s.context, s.tenantId));

    public static void BulkInserted(
        this IDiagnosticsLogger<DbLoggerCategory.Update> diagnostics, DbContext context, string table, long rows)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).BulkInserted, context, $"{rows} rows of '{table}'",
            (context, table, rows),
            static (d, m, s) => new BulkInsertEventData(d, m, s.context, s.table, s.rows));

    public static void ManyTenantPartitions(
        this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context, string table, int partitions)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).ManyTenantPartitions, context, $"'{table}' has {partitions}",
            context,
            static (d, m, c) => new DbContextEventData(d, m, c));

    public static void IndexNotCreatedConcurrently(
        this IDiagnosticsLogger<DbLoggerCategory.Migrations> diagnostics, DbContext context, string index, string table)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).IndexNotCreatedConcurrently, context, $"'{index}' of '{table}'",
            context,
            static (d, m, c) => new DbContextEventData(d, m, c));

    public static void NothingIsMultiTenanted(
        this IDiagnosticsLogger<DbLoggerCategory.Model.Validation> diagnostics, Type contextType, string entity)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).NothingIsMultiTenanted, contextType.Name, entity,
            0,
            static (d, m, _) => new EventData(d, m));

    // No closures: a pooled context tells its tenant at each lease, mostly to nobody.
    private static void Dispatch<TCategory, TState>(
        IDiagnosticsLogger<TCategory> diagnostics,
        EventDefinition<string, string> definition,
        DbContext context,
        string about,
        TState state,
        Func<EventDefinitionBase, Func<EventDefinitionBase, EventData, string>, TState, EventData> eventData)
        where TCategory : LoggerCategory<TCategory>, new()
        => Dispatch(diagnostics, definition, context.GetType().Name, about, state, eventData);

    private static void Dispatch<TCategory, TState>(
        IDiagnosticsLogger<TCategory> diagnostics,
        EventDefinition<string, string> definition,
        string context,
        string about,
        TState state,
        Func<EventDefinitionBase, Func<EventDefinitionBase, EventData, string>, TState, EventData> eventData)
        where TCategory : LoggerCategory<TCategory>, new()
    {
        if (diagnostics.ShouldLog(definition))
        {
            definition.Log(diagnostics, context, about);
        }

        if (diagnostics.NeedsEventData(definition, out var diagnosticSourceEnabled, out var simpleLogEnabled))
        {
            diagnostics.DispatchEventData(
                definition,
                eventData(definition, Message(definition, context, about), state),
                diagnosticSourceEnabled,
                simpleLogEnabled);
        }
    }

    private static Func<EventDefinitionBase, EventData, string> Message(EventDefinition<string, string> definition, string context, string about)
        => (_, _) => definition.GenerateMessage(context, about);

    private static TenancyEventDefinitions DefinitionsOf(IDiagnosticsLogger diagnostics)
        => ((TenancyLoggingDefinitions)diagnostics.Definitions).EventsOf(diagnostics.Options);
}
