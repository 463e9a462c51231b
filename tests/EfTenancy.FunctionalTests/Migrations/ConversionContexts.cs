using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>A model as plain tables, and as tables whose partitions follow the registry.</summary>
public sealed class ConversionContexts(string connectionString, Action<ModelBuilder> model, Action<TenancyDbContextOptionsBuilder>? policy = null)
{
    public const string RegistrySchema = "tenants";

    public DbContext Plain(string? tenant = null)
        => Create(isManaged: false, tenant);

    public DbContext Managed(string? tenant = null)
        => Create(isManaged: true, tenant);

    public Task CreatePlainAsync()
        => MigrateAsync(null, Plain());

    public Task ConvertAsync()
        => MigrateAsync(Plain(), Managed());

    public Task ConvertBackAsync()
        => MigrateAsync(Managed(), Plain());

    public bool HasDifferences()
    {
        using var one = Managed();
        using var other = Managed();
        return other.GetService<IMigrationsModelDiffer>().HasDifferences(
            one.GetService<IDesignTimeModel>().Model.GetRelationalModel(), other.GetService<IDesignTimeModel>().Model.GetRelationalModel());
    }

    private ConversionModelContext Create(bool isManaged, string? tenant)
    {
        var context = new ConversionModelContext(
            connectionString,
            (this, isManaged),
            model,
            t =>
            {
                t.AllEntitiesAreMultiTenanted();
                policy?.Invoke(t);
                if (isManaged)
                {
                    t.PartitionMultiTenantedEntitiesManaged(RegistrySchema);
                }
            });
        if (tenant is not null)
        {
            context.Tenancy().Use(tenant);
        }

        return context;
    }

    private static async Task MigrateAsync(DbContext? before, DbContext after)
    {
        await using var _ = before;
        await using var __ = after;
        await ModelMigration.MigrateAsync(before, after);
    }

    private sealed class ConversionModelContext(
        string connectionString,
        object key,
        Action<ModelBuilder> model,
        Action<TenancyDbContextOptionsBuilder> policy) : DbContext
    {
        private object Key
            => key;

        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder.UseTestDatabase(connectionString).UseTenancy(policy).ReplaceService<IModelCacheKeyFactory, PerKey>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => model(modelBuilder);

        private sealed class PerKey : IModelCacheKeyFactory
        {
            public object Create(DbContext context, bool designTime)
                => (((ConversionModelContext)context).Key, designTime);
        }
    }
}
