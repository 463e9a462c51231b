using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>Ways around the guard of a save: none may change a row of Red from a context of Green.</summary>
public class WriteLeakTest(ShopFixture fixture) : IClassFixture<ShopFixture>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private ShopContext _green = null!;
    private List<string> _red = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.CloneAsync();
        _green = fixture.CreateContext(_database.ConnectionString, "Green");
        _red = await RedRowsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _green.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task SQL_that_writes_and_returns_rows_is_refused_until_it_is_said_that_no_filter_stands_around_it()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _green.Orders.FromSql($"""UPDATE "Orders" SET "Title" = 'taken' RETURNING *""").ToListAsync());
        Assert.Equal(_red, await RedRowsAsync());

        var tenant = _green.Tenancy().TenantId;
        var taken = await _green.Orders
            .FromSql($"""UPDATE "Orders" SET "Title" = 'taken' WHERE "TenantId" = {tenant} RETURNING *""")
            .IgnoreQueryFilters()
            .ToListAsync();
        taken[0].Title = "done";
        await _green.SaveChangesAsync();

        Assert.Equal(["done", "taken"], await _green.Orders.Select(o => o.Title).Distinct().Order().ToListAsync());
        Assert.Equal(_red, await RedRowsAsync());
    }

    [Fact]
    public async Task A_bulk_statement_cannot_set_the_tenant_through_a_projection()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _green.Invoices.Select(i => new { i, Owner = i.TenantId }).ExecuteUpdateAsync(s => s.SetProperty(x => x.Owner, "Red")));
        Assert.Equal(_red, await RedRowsAsync());
    }

    [Fact]
    public async Task A_bulk_statement_cannot_set_the_tenant_that_a_projection_has_alone_or_renamed()
    {
        foreach (var update in (Func<Task<int>>[])[
                     () => _green.Invoices.Select(i => new { Owner = i.TenantId }).ExecuteUpdateAsync(s => s.SetProperty(x => x.Owner, "Red")),
                     () => _green.Invoices.Select(i => new { i.TenantId, i.Amount }).ExecuteUpdateAsync(s => s.SetProperty(x => x.TenantId, "Red")),
                     () => _green.Invoices.Select(i => i.TenantId).ExecuteUpdateAsync(s => s.SetProperty(x => x, "Red")),
                     () => _green.OrderLines.Select(l => new { l.Quantity, Owner = EF.Property<string>(l, "TenantId") })
                         .ExecuteUpdateAsync(s => s.SetProperty(x => x.Quantity, 1).SetProperty(x => x.Owner, "Red"))])
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(update);
            Assert.Contains(".TenantId'", refused.Message, StringComparison.Ordinal);
            Assert.Equal(_red, await RedRowsAsync());
        }

        Assert.Equal(1, await _green.Invoices.Select(i => new { i.TenantId, i.Amount }).ExecuteUpdateAsync(s => s.SetProperty(x => x.Amount, 5)));
    }

    [Fact]
    public async Task A_bulk_statement_cannot_set_the_tenant_through_a_join()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _green.OrderLines.Join(_green.Orders, l => l.Id, o => o.Id, (l, o) => new { l, Owner = EF.Property<string>(l, "TenantId") })
                .ExecuteUpdateAsync(s => s.SetProperty(x => x.Owner, "Red")));
        Assert.Equal(_red, await RedRowsAsync());
    }

    [Fact]
    public async Task A_bulk_statement_cannot_set_the_tenant_by_a_name_in_a_variable()
    {
        var name = "TenantId";
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _green.OrderLines.ExecuteUpdateAsync(s => s.SetProperty(x => EF.Property<string>(x, name), "Red")));
    }

    [Fact]
    public async Task Database_values_of_a_posted_entity_that_names_another_tenant_are_not_read()
    {
        var posted = _green.Entry(new Invoice { Id = await RedInvoiceAsync(), TenantId = "Red" });
        Assert.Null(await posted.GetDatabaseValuesAsync());
    }

    [Fact]
    public async Task Reloading_a_posted_entity_that_names_another_tenant_reads_nothing()
    {
        var posted = _green.Attach(new Invoice { Id = await RedInvoiceAsync(), TenantId = "Red" });
        await posted.ReloadAsync();
        Assert.Equal(0, posted.Entity.Amount);
    }

    [Fact]
    public async Task Every_state_of_an_entry_with_another_tenant_is_refused()
    {
        foreach (var state in (EntityState[])[EntityState.Added, EntityState.Modified, EntityState.Deleted])
        {
            _green.ChangeTracker.Clear();
            var entry = _green.Entry(new Order { Id = 1, Title = "x" });
            entry.Property("TenantId").CurrentValue = "Red";
            entry.State = state;
            await Assert.ThrowsAsync<CrossTenantWriteException>(() => _green.SaveChangesAsync(acceptAllChangesOnSuccess: false));
            Assert.Throws<CrossTenantWriteException>(() => _green.SaveChanges());
        }

        Assert.Equal(_red, await RedRowsAsync());
    }

    [Fact]
    public async Task Values_set_from_a_posted_object_cannot_move_a_row()
    {
        var order = await _green.Orders.SingleAsync(o => o.Id == 1);
        Assert.Throws<InvalidOperationException>(
            () => _green.Entry(order).CurrentValues.SetValues(new { TenantId = "Red", Title = "moved" }));
        _green.ChangeTracker.Clear();

        var added = _green.Add(new Order { Title = "new" });
        added.CurrentValues.SetValues(new { TenantId = "Red" });
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => _green.SaveChangesAsync());
        Assert.Equal(_red, await RedRowsAsync());
    }

    [Fact]
    public async Task A_tracked_graph_takes_no_tenant_from_its_callback()
    {
        _green.ChangeTracker.TrackGraph(
            new Customer { Id = 1, Email = "a@x.org", Orders = { new Order { Id = 1, Title = "stolen" } } },
            node =>
            {
                node.Entry.Property("TenantId").CurrentValue = "Red";
                node.Entry.State = EntityState.Modified;
            });
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => _green.SaveChangesAsync());
    }

    [Fact]
    public async Task Entries_that_an_interceptor_adds_are_guarded()
    {
        _green.SavingChanges += (_, _) =>
        {
            var entry = _green.Entry(new Order { Id = 1, Title = "late" });
            entry.Property("TenantId").CurrentValue = "Red";
            entry.State = EntityState.Modified;
        };
        _green.Add(new Order { Title = "g" });
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => _green.SaveChangesAsync());
    }

    [Fact]
    public async Task A_scope_that_is_disposed_after_its_pooled_context_does_not_disturb_the_next_lease()
    {
        var factory = new PooledFactory(_database.ConnectionString);
        var first = factory.Create();
        first.Tenancy().Use("Green");
        var scope = first.Tenancy().AcrossTenants("forgotten");
        await first.DisposeAsync();

        await using var second = factory.Create();
        Assert.Same(first, second);
        second.Tenancy().Use("Blue");
        Assert.Equal(2, await second.Orders.CountAsync());
        using (second.Tenancy().AcrossTenants("wanted"))
        {
            scope.Dispose();
            Assert.Equal(6, await second.Orders.CountAsync());
        }

        Assert.Equal(2, await second.Orders.CountAsync());
    }

    [Fact]
    public async Task A_pooled_context_forgets_scopes_opened_tenants_and_its_tenant()
    {
        var factory = new PooledFactory(_database.ConnectionString);
        await using (var first = factory.Create())
        {
            first.Tenancy().Use("Green");
            first.Tenancy().ForTenant("Red").Attach(new Order { Id = 1, Title = "x" });
            first.Tenancy().AcrossTenants("never left");
            Assert.Equal(6, await first.Orders.CountAsync());
        }

        await using var second = factory.Create();
        Assert.Equal(TenancyDefaults.DefaultTenantId, second.Tenancy().TenantId);
        Assert.Empty(await second.Orders.ToListAsync());
        var entry = second.Entry(new Order { Id = 1, Title = "stolen" });
        entry.Property("TenantId").CurrentValue = "Red";
        entry.State = EntityState.Modified;
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => second.SaveChangesAsync());
    }

    [Fact]
    public async Task What_was_kept_of_a_pooled_context_does_not_reach_its_next_lease()
    {
        var current = "Green";
        var factory = new PooledFactory(_database.ConnectionString, t => t.UseTenantAccessor(_ => current));
        var first = factory.Create();
        var (kept, red, later) = (first.Tenancy(), first.Tenancy().ForTenant("Red"), first.Orders.Where(o => o.Id > 0));
        Action[] uses =
        [
            () => _ = kept.TenantId,
            () => _ = kept.TenantIds,
            () => kept.Use("Green"),
            () => kept.Use(["Green", "Blue"]),
            () => kept.UseAsync("Green").GetAwaiter().GetResult(),
            () => kept.ForTenant("Green"),
            () => kept.AcrossTenants("kept"),
            () => kept.BulkInsertAsync([new Order { Id = 77, Title = "kept" }]).GetAwaiter().GetResult(),
            () => red.Set<Order>(),
            () => red.Add(new Order { Id = 77, Title = "kept" }),
        ];
        await first.DisposeAsync();
        foreach (var use in uses.Append(() => _ = later.ToList()))
        {
            Assert.Throws<ObjectDisposedException>(use);
            current = "Red";
            await using var next = factory.Create();
            Assert.Same(first, next);
            Assert.Equal("Red", next.Tenancy().TenantId);
            Assert.Equal(2, await next.Orders.CountAsync());
            current = "Green";
        }

        await using var second = factory.Create();
        second.Tenancy().Use("Blue");
        foreach (var use in uses)
        {
            Assert.Contains("db.Tenancy()", Assert.Throws<ObjectDisposedException>(use).Message, StringComparison.Ordinal);
        }

        Assert.Equal("Blue", second.Tenancy().TenantId);
        Assert.Equal(2, await second.Orders.CountAsync());
        Assert.Equal(0, await _database.ScalarAsync<long>("""SELECT count(*) FROM "Orders" WHERE "Id" = 77"""));
    }

    private Task<Guid> RedInvoiceAsync()
        => _database.ScalarAsync<Guid>("""SELECT "Id" FROM "Invoices" WHERE "TenantId" = 'Red' """);

    private Task<List<string>> RedRowsAsync()
        => _database.RowsOfAsync("Red");

    private sealed class PooledFactory(string connectionString, Action<TenancyDbContextOptionsBuilder>? tenancy = null)
    {
        private readonly Microsoft.EntityFrameworkCore.Infrastructure.PooledDbContextFactory<ShopContext> _factory = new(
            new DbContextOptionsBuilder<ShopContext>().UseTestDatabase(connectionString)
                .UseTenancy(
                    t =>
                    {
                        t.AllEntitiesAreMultiTenanted();
                        tenancy?.Invoke(t);
                    })
                .Options,
            poolSize: 1);

        public ShopContext Create()
            => _factory.CreateDbContext();
    }
}
