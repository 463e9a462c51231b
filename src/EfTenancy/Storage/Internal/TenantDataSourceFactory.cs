using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfTenancy.Storage.Internal;

/// <summary>Makes data sources as the provider would: with the enums, plugins and callbacks of <c>UseNpgsql(...)</c>.</summary>
#pragma warning disable EF1001 // Nothing public builds a data source from the options of a context.
public class TenantDataSourceFactory(IEnumerable<INpgsqlDataSourceConfigurationPlugin> plugins) : NpgsqlDataSourceManager(plugins)
{
    public virtual NpgsqlDataSource Create(IDbContextOptions options, string connectionString)
        => CreateDataSource((NpgsqlOptionsExtension)(options.FindExtension<NpgsqlOptionsExtension>() ?? new NpgsqlOptionsExtension())
            .WithConnection(null)
            .WithConnectionString(connectionString));
}
#pragma warning restore EF1001
