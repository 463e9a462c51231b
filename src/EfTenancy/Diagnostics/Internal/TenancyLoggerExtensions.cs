using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfTenancy.Diagnostics.Internal;

/// <summary>One method for each event.</summary>
public static class TenancyLoggerExtensions
{
    // EF keeps definitions in the provider's LoggingDefinitions, which are not ours to extend; these live as long as those.
    private static readonly ConditionalWeakTable<LoggingDefinitions, TenancyEventDefinitions> Definitions = [];

    public static void TenantSet(
        this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context, string tenantId)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).TenantSet, Name(context), tenantId,
            (d, m) => new TenantEventData(d, m, context, tenantId));

    public static void DefaultTenantUsed(this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).DefaultTenantUsed, Name(context), TenancyDefaults.DefaultTenantId,
            (d, m) => new TenantEventData(d, m, context, TenancyDefaults.DefaultTenantId));

    public static void AcrossTenantsEntered(
        this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context, string reason)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).AcrossTenantsEntered, Name(context), reason,
            (d, m) => new AcrossTenantsEventData(d, m, context, reason));

    public static void CrossTenantQuery(this IDiagnosticsLogger<DbLoggerCategory.Query> diagnostics, DbContext context, string predicate)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).CrossTenantQuery, Name(context), predicate,
            (d, m) => new DbContextEventData(d, m, context));

    public static void CrossTenantWriteRefused(
        this IDiagnosticsLogger<DbLoggerCategory.Update> diagnostics, DbContext context, string? rowTenantId, string message)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).CrossTenantWriteRefused, Name(context), message,
            (d, m) => new TenantEventData(d, m, context, rowTenantId));

    public static void UnknownTenantRefused(
        this IDiagnosticsLogger<DbLoggerCategory.Update> diagnostics, DbContext context, UnknownTenantException exception)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).UnknownTenantRefused, Name(context), exception.Message,
            (d, m) => new TenantEventData(d, m, context, exception.TenantId));

    public static void BulkInserted(
        this IDiagnosticsLogger<DbLoggerCategory.Update> diagnostics, DbContext context, string table, long rows)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).BulkInserted, Name(context), $"{rows} rows of '{table}'",
            (d, m) => new BulkInsertEventData(d, m, context, table, rows));

    public static void ManyTenantPartitions(
        this IDiagnosticsLogger<DbLoggerCategory.Infrastructure> diagnostics, DbContext context, string table, int partitions)
        => Dispatch(
            diagnostics, DefinitionsOf(diagnostics).ManyTenantPartitions, Name(context), $"'{table}' has {partitions}",
            (d, m) => new DbContextEventData(d, m, context));

    private static void Dispatch<TCategory>(
        IDiagnosticsLogger<TCategory> diagnostics,
        EventDefinition<string, string> definition,
        string context,
        string about,
        Func<EventDefinitionBase, Func<EventDefinitionBase, EventData, string>, EventData> eventData)
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
                eventData(definition, (_, _) => definition.GenerateMessage(context, about)),
                diagnosticSourceEnabled,
                simpleLogEnabled);
        }
    }

    private static TenancyEventDefinitions DefinitionsOf(IDiagnosticsLogger diagnostics)
        => Definitions.GetValue(diagnostics.Definitions, _ => new TenancyEventDefinitions(diagnostics.Options));

    private static string Name(DbContext context)
        => context.GetType().Name;
}
