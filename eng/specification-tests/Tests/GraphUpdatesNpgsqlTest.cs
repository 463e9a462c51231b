namespace Microsoft.EntityFrameworkCore;

// The provider's tests leave these two base classes out.
public class GraphUpdatesNpgsqlTest(GraphUpdatesNpgsqlTest.NpgsqlFixture fixture)
    : GraphUpdatesTestBase<GraphUpdatesNpgsqlTest.NpgsqlFixture>(fixture)
{
    protected override void UseTransaction(DatabaseFacade facade, IDbContextTransaction transaction)
        => facade.UseTransaction(transaction.GetDbTransaction());

    public class NpgsqlFixture : GraphUpdatesFixtureBase
    {
        protected override string StoreName => "GraphUpdates";

        protected override ITestStoreFactory TestStoreFactory => NpgsqlTestStoreFactory.Instance;
    }
}

public class GraphUpdatesClientCascadeNpgsqlTest(GraphUpdatesClientCascadeNpgsqlTest.NpgsqlFixture fixture)
    : GraphUpdatesTestBase<GraphUpdatesClientCascadeNpgsqlTest.NpgsqlFixture>(fixture)
{
    protected override void UseTransaction(DatabaseFacade facade, IDbContextTransaction transaction)
        => facade.UseTransaction(transaction.GetDbTransaction());

    public class NpgsqlFixture : GraphUpdatesFixtureBase
    {
        public override bool NoStoreCascades => true;

        protected override string StoreName => "GraphUpdatesClientCascade";

        protected override ITestStoreFactory TestStoreFactory => NpgsqlTestStoreFactory.Instance;

        protected override void OnModelCreating(ModelBuilder modelBuilder, DbContext context)
        {
            base.OnModelCreating(modelBuilder, context);

            modelBuilder.OnDelete(DeleteBehavior.ClientCascade, k => k.DeleteBehavior == DeleteBehavior.Cascade);
        }
    }
}

public class GraphUpdatesClientNoActionNpgsqlTest(GraphUpdatesClientNoActionNpgsqlTest.NpgsqlFixture fixture)
    : GraphUpdatesTestBase<GraphUpdatesClientNoActionNpgsqlTest.NpgsqlFixture>(fixture)
{
    protected override void UseTransaction(DatabaseFacade facade, IDbContextTransaction transaction)
        => facade.UseTransaction(transaction.GetDbTransaction());

    public class NpgsqlFixture : GraphUpdatesFixtureBase
    {
        public override bool ForceClientNoAction => true;

        protected override string StoreName => "GraphUpdatesClientNoAction";

        protected override ITestStoreFactory TestStoreFactory => NpgsqlTestStoreFactory.Instance;

        protected override void OnModelCreating(ModelBuilder modelBuilder, DbContext context)
        {
            base.OnModelCreating(modelBuilder, context);

            modelBuilder.OnDelete(DeleteBehavior.ClientNoAction, _ => true);
        }
    }
}

public abstract class ProxyGraphUpdatesNpgsqlTestBase<TFixture>(TFixture fixture) : ProxyGraphUpdatesTestBase<TFixture>(fixture)
    where TFixture : ProxyGraphUpdatesNpgsqlTestBase<TFixture>.NpgsqlFixtureBase, new()
{
    protected override void UseTransaction(DatabaseFacade facade, IDbContextTransaction transaction)
        => facade.UseTransaction(transaction.GetDbTransaction());

    public abstract class NpgsqlFixtureBase : ProxyGraphUpdatesFixtureBase
    {
        protected override ITestStoreFactory TestStoreFactory => NpgsqlTestStoreFactory.Instance;

        protected override IServiceCollection AddServices(IServiceCollection serviceCollection)
            => base.AddServices(serviceCollection.AddEntityFrameworkProxies());
    }
}

public class ProxyGraphUpdatesLazyLoadingNpgsqlTest(ProxyGraphUpdatesLazyLoadingNpgsqlTest.NpgsqlFixture fixture)
    : ProxyGraphUpdatesNpgsqlTestBase<ProxyGraphUpdatesLazyLoadingNpgsqlTest.NpgsqlFixture>(fixture)
{
    protected override bool DoesLazyLoading => true;

    protected override bool DoesChangeTracking => false;

    public class NpgsqlFixture : NpgsqlFixtureBase
    {
        protected override string StoreName => "ProxyGraphUpdatesLazyLoading";

        public override DbContextOptionsBuilder AddOptions(DbContextOptionsBuilder builder)
            => base.AddOptions(builder.UseLazyLoadingProxies());
    }
}

public class ProxyGraphUpdatesChangeTrackingNpgsqlTest(ProxyGraphUpdatesChangeTrackingNpgsqlTest.NpgsqlFixture fixture)
    : ProxyGraphUpdatesNpgsqlTestBase<ProxyGraphUpdatesChangeTrackingNpgsqlTest.NpgsqlFixture>(fixture)
{
    protected override bool DoesLazyLoading => false;

    protected override bool DoesChangeTracking => true;

    public class NpgsqlFixture : NpgsqlFixtureBase
    {
        protected override string StoreName => "ProxyGraphUpdatesChangeTracking";

        public override DbContextOptionsBuilder AddOptions(DbContextOptionsBuilder builder)
            => base.AddOptions(builder.UseChangeTrackingProxies());
    }
}

internal static class DeleteBehaviors
{
    public static void OnDelete(this ModelBuilder modelBuilder, DeleteBehavior behavior, Func<IMutableForeignKey, bool> of)
    {
        foreach (var foreignKey in modelBuilder.Model.GetEntityTypes().SelectMany(e => e.GetDeclaredForeignKeys()).Where(of))
        {
            foreignKey.DeleteBehavior = behavior;
        }
    }
}
