using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Tells the end of a connection to a tenant's place, where it comes while rows are read, as what it is. EF asks of each error of an
///     enumeration whether it is a cancellation, and of nothing else, so that rows cost nothing.
/// </summary>
#pragma warning disable EF1001 // A reader of our own, the public hook, would stand between EF and each row.
public class TenancyQueryContextFactory(
    QueryContextDependencies dependencies,
    RelationalQueryContextDependencies relationalDependencies)
    : RelationalQueryContextFactory(
        relationalDependencies.RelationalConnection is TenancyRelationalConnection { HasPlaces: true } connection
            ? dependencies with { ExceptionDetector = new Detector(dependencies, connection) }
            : dependencies,
        relationalDependencies)
{
    private sealed class Detector(QueryContextDependencies dependencies, TenancyRelationalConnection connection) : IExceptionDetector
    {
        public bool IsCancellation(Exception exception, CancellationToken cancellationToken = default)
        {
            if (dependencies.ExceptionDetector.IsCancellation(exception, cancellationToken))
            {
                return true;
            }

            if (connection.MeaningOf(exception) is { } error)
            {
                // As EF would after this.
                dependencies.QueryLogger.QueryIterationFailed(dependencies.CurrentContext.Context.GetType(), error);
                throw error;
            }

            return false;
        }
    }
}
#pragma warning restore EF1001
