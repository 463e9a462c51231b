using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Administration.Internal;

/// <summary>Contexts from the application's services, each for one piece of work: from the factory, or from a scope.</summary>
public sealed class ApplicationContexts<TContext>(IServiceScopeFactory scopes)
    where TContext : DbContext
{
    public async Task<TResult> UseAsync<TResult>(Func<TContext, Task<TResult>> work, CancellationToken cancellationToken)
    {
        var scope = scopes.CreateAsyncScope();
        await using var _ = scope.ConfigureAwait(false);

        if (scope.ServiceProvider.GetService<IDbContextFactory<TContext>>() is not { } factory)
        {
            return await work(WithTenancy(scope.ServiceProvider.GetRequiredService<TContext>())).ConfigureAwait(false);
        }

        var context = await factory.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = context.ConfigureAwait(false);
        return await work(WithTenancy(context)).ConfigureAwait(false);
    }

    // Otherwise the first service that is looked for would be missing, with a message about the database provider.
    private static TContext WithTenancy(TContext context)
    {
        _ = context.Tenancy();
        return context;
    }
}
