using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql.EntityFrameworkCore.PostgreSQL.Diagnostics.Internal;

namespace EfTenancy.Diagnostics.Internal;

/// <summary>Keeps the definitions of EfTenancy's events where EF keeps its own: beside the options that they depend on.</summary>
#pragma warning disable EF1001 // EF holds one service of this type, the provider's.
public class TenancyLoggingDefinitions : NpgsqlLoggingDefinitions
{
    private TenancyEventDefinitions? _events;

    public virtual TenancyEventDefinitions EventsOf(ILoggingOptions options)
        => _events ??= new TenancyEventDefinitions(options);
}
#pragma warning restore EF1001
