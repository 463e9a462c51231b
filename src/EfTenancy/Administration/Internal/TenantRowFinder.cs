using EfTenancy.Infrastructure.Internal;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Administration.Internal;

/// <summary>Finds rows of a tenant among those that share the home database. <see cref="TenantDatabases" /> knows no tables; a context's model does.</summary>
public abstract class TenantRowFinder
{
    /// <summary>The tables there in which a tenant has rows.</summary>
    public abstract Task<IReadOnlyList<string>> FindAtHomeAsync(TenantDatabases databases, string tenantId, CancellationToken cancellationToken);
}

/// <inheritdoc />
public sealed class TenantRowFinder<TContext>(ApplicationContexts<TContext> contexts, TenantAdministrationOptions options) : TenantRowFinder
    where TContext : DbContext
{
    public override Task<IReadOnlyList<string>> FindAtHomeAsync(
        TenantDatabases databases,
        string tenantId,
        CancellationToken cancellationToken)
        => contexts.UseAsync<IReadOnlyList<string>>(
            async context =>
            {
                if (context.GetService<IDbContextOptions>().FindExtension<TenancyOptionsExtension>()?.Databases != databases)
                {
                    return [];
                }

                var home = new TenantSite(context, tenantId, databases.Directory.Home, databases, options);
                var connection = await home.OpenAsync(cancellationToken).ConfigureAwait(false);
                await using var _ = connection.ConfigureAwait(false);
                return home.HasTenantColumns && await TransferCatalog.HasTablesAsync(home, connection, cancellationToken).ConfigureAwait(false)
                    ? await TransferCopy.WithRowsAsync(
                        connection,
                        await TransferCatalog.LoadAsync(home, connection, withQualified: true, cancellationToken).ConfigureAwait(false),
                        cancellationToken).ConfigureAwait(false)
                    : [];
            },
            cancellationToken);
}
