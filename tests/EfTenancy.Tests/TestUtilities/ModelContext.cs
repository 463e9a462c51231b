using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Tests.TestUtilities;

/// <summary>A context whose model is what the test says. It never opens its connection, and every warning of EF throws.</summary>
public class ModelContext(DbContextOptions options, Action<ModelBuilder> build) : DbContext(options)
{
    private readonly Action<ModelBuilder> _build = build;

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => _build(modelBuilder);

    public static ModelContext Create(Action<ModelBuilder> build, Action<TenancyDbContextOptionsBuilder>? tenancy = null)
        => new(Options(o => o.UseTenancy(tenancy)), build);

    /// <summary>With the policy that all entities are multi-tenanted.</summary>
    public static ModelContext CreateMultiTenanted(Action<ModelBuilder> build)
        => Create(build, t => t.AllEntitiesAreMultiTenanted());

    /// <summary>The finished model as migrations see it: with indexes' filters, comments and everything else for the database.</summary>
    public static IModel ModelOf(Action<ModelBuilder> build, Action<TenancyDbContextOptionsBuilder>? tenancy = null)
    {
        using var context = Create(build, tenancy);
        return context.DesignTimeModel;
    }

    public static DbContextOptions Options(Action<DbContextOptionsBuilder>? configure = null)
    {
        var builder = new DbContextOptionsBuilder()
            .UseUnusedDatabase()
            .ReplaceService<IModelCacheKeyFactory, ModelOfEachTest>()
            .ConfigureWarnings(w => w.Default(WarningBehavior.Throw));
        configure?.Invoke(builder);
        return builder.Options;
    }

    public IModel DesignTimeModel
        => this.GetService<IDesignTimeModel>().Model;

    // EF caches a model for each type of context.
    private sealed class ModelOfEachTest : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime)
            => (((ModelContext)context)._build, designTime);
    }
}
