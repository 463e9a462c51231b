using System.Data.Common;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Diagnostics.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging;

namespace EfTenancy.Diagnostics.Internal;

/// <summary>
///     Tells PostgreSQL's refusal to write for a tenant that is being moved, and the end of a connection to a tenant's place, as what they are.
///     It costs a command that succeeds nothing.
/// </summary>
#pragma warning disable EF1001 // An interceptor, the public hook, would make event data for each command of every context.
public class TenancyCommandLogger(
    ILoggerFactory loggerFactory,
    ILoggingOptions loggingOptions,
    System.Diagnostics.DiagnosticSource diagnosticSource,
    LoggingDefinitions loggingDefinitions,
    IDbContextLogger contextLogger,
    IDbContextOptions contextOptions,
    IInterceptors? interceptors = null)
    : RelationalCommandDiagnosticsLogger(
        loggerFactory, loggingOptions, diagnosticSource, loggingDefinitions, contextLogger, contextOptions, interceptors)
{
    public override void CommandError(
        IRelationalConnection connection,
        DbCommand command,
        string logCommandText,
        DbContext? context,
        DbCommandMethod executeMethod,
        Guid commandId,
        Guid connectionId,
        Exception exception,
        DateTimeOffset startTime,
        TimeSpan duration,
        CommandSource commandSource)
    {
        base.CommandError(
            connection, command, logCommandText, context, executeMethod, commandId, connectionId, exception, startTime, duration, commandSource);
        if (MeaningOf(connection, exception) is { } error)
        {
            if (executeMethod == DbCommandMethod.ExecuteReader)
            {
                // EF would do it after this, and does for the other methods.
                command.Dispose();
                connection.Close();
            }

            throw error;
        }
    }

    public override async Task CommandErrorAsync(
        IRelationalConnection connection,
        DbCommand command,
        string logCommandText,
        DbContext? context,
        DbCommandMethod executeMethod,
        Guid commandId,
        Guid connectionId,
        Exception exception,
        DateTimeOffset startTime,
        TimeSpan duration,
        CommandSource commandSource,
        CancellationToken cancellationToken = default)
    {
        await base.CommandErrorAsync(
            connection, command, logCommandText, context, executeMethod, commandId, connectionId, exception, startTime, duration, commandSource,
            cancellationToken).ConfigureAwait(false);
        if (MeaningOf(connection, exception) is { } error)
        {
            if (executeMethod == DbCommandMethod.ExecuteReader)
            {
                await command.DisposeAsync().ConfigureAwait(false);
                await connection.CloseAsync().ConfigureAwait(false);
            }

            throw error;
        }
    }

    private static TenantDatabaseException? MeaningOf(IRelationalConnection connection, Exception exception)
        => (connection as TenancyRelationalConnection)?.MeaningOf(exception);
}
#pragma warning restore EF1001
