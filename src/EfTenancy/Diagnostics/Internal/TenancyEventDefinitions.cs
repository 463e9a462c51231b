using System.Runtime.CompilerServices;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfTenancy.Diagnostics.Internal;

/// <summary>Level and message of each event. The message's first value is the context, its second what the event is about.</summary>
public sealed class TenancyEventDefinitions(ILoggingOptions options)
{
    public EventDefinition<string, string> TenantSet { get; }
        = Define(options, TenancyEventId.TenantSet, LogLevel.Debug, TenancyStrings.LogTenantSet);

    public EventDefinition<string, string> DefaultTenantUsed { get; }
        = Define(options, TenancyEventId.DefaultTenantUsed, LogLevel.Debug, TenancyStrings.LogDefaultTenantUsed);

    public EventDefinition<string, string> AcrossTenantsEntered { get; }
        = Define(options, TenancyEventId.AcrossTenantsEntered, LogLevel.Information, TenancyStrings.LogAcrossTenantsEntered);

    public EventDefinition<string, string> TenantsElsewhereNotRead { get; }
        = Define(options, TenancyEventId.TenantsElsewhereNotRead, LogLevel.Warning, TenancyStrings.LogTenantsElsewhereNotRead);

    public EventDefinition<string, string> CrossTenantQuery { get; }
        = Define(options, TenancyEventId.CrossTenantQuery, LogLevel.Information, TenancyStrings.LogCrossTenantQuery);

    public EventDefinition<string, string> CrossTenantWriteRefused { get; }
        = Define(options, TenancyEventId.CrossTenantWriteRefused, LogLevel.Error, TenancyStrings.LogRefused);

    public EventDefinition<string, string> UnknownTenantRefused { get; }
        = Define(options, TenancyEventId.UnknownTenantRefused, LogLevel.Error, TenancyStrings.LogRefused);

    public EventDefinition<string, string> BulkInserted { get; }
        = Define(options, TenancyEventId.BulkInserted, LogLevel.Information, TenancyStrings.LogBulkInserted);

    public EventDefinition<string, string> ManyTenantPartitions { get; }
        = Define(options, TenancyEventId.ManyTenantPartitions, LogLevel.Warning, TenancyStrings.LogManyTenantPartitions);

    public EventDefinition<string, string> IndexNotCreatedConcurrently { get; }
        = Define(options, TenancyEventId.IndexNotCreatedConcurrently, LogLevel.Warning, TenancyStrings.LogIndexNotCreatedConcurrently);

    public EventDefinition<string, string> NothingIsMultiTenanted { get; }
        = Define(options, TenancyEventId.NothingIsMultiTenanted, LogLevel.Warning, TenancyStrings.LogNothingIsMultiTenanted);

    private static EventDefinition<string, string> Define(
        ILoggingOptions options,
        EventId eventId,
        LogLevel level,
        string message,
        [CallerMemberName] string name = "")
        => new(
            options,
            eventId,
            level,
            nameof(TenancyEventId) + "." + name,
            l => LoggerMessage.Define<string, string>(l, eventId, message));
}
