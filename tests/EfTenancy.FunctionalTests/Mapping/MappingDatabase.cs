using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

public enum Tables
{
    Plain,
    Hashed,
}

public sealed class AllTables() : TheoryData<Tables>(Tables.Plain, Tables.Hashed);

/// <summary>The mappings of one kind, multi-tenanted by the policy alone.</summary>
public abstract class MappingContext(DbContextOptions options) : DbContext(options)
{
    /// <summary>What EF does not create: views, for the types that are mapped to them.</summary>
    public virtual string ViewSql => "SELECT 1";
}

public abstract class MappingDatabase<TContext>(PostgresFixture postgres) : DatabaseFixture<TContext>(postgres)
    where TContext : MappingContext
{
    public override TContext CreateContext(string connectionString)
        => (TContext)Activator.CreateInstance(
            typeof(TContext),
            new DbContextOptionsBuilder<TContext>()
                .UseTestDatabase(connectionString)
                .ConfigureWarnings(w => w.Default(WarningBehavior.Throw))
                .UseTenancy(Configure)
                .Options)!;

    public TContext For(string tenant)
    {
        var context = CreateContext();
        context.Tenancy().Use(tenant);
        return context;
    }

    protected virtual void Configure(TenancyDbContextOptionsBuilder tenancy)
        => tenancy.AllEntitiesAreMultiTenanted().DisableDefaultTenant();

    protected override async Task SeedTemplateAsync(TContext context)
    {
        await base.SeedTemplateAsync(context);
        await context.Database.ExecuteSqlRawAsync(context.ViewSql);
    }
}

public sealed class PlainDatabase<TContext>(PostgresFixture postgres) : MappingDatabase<TContext>(postgres)
    where TContext : MappingContext;

public sealed class HashedDatabase<TContext>(PostgresFixture postgres) : MappingDatabase<TContext>(postgres)
    where TContext : MappingContext
{
    protected override void Configure(TenancyDbContextOptionsBuilder tenancy)
    {
        base.Configure(tenancy);
        tenancy.PartitionMultiTenantedEntities(x => x.ByHash("a", "b"));
    }
}
