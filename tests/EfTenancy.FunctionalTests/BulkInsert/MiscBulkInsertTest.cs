using EfTenancy.FunctionalTests.Mapping;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

public class MiscBulkInsertTest(PlainDatabase<MiscContext> plain, HashedDatabase<MiscContext> hashed)
    : BulkInsertMappingTest<MiscContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Concurrency_token(Tables tables)
        => VerifyAsync(tables, new BulkInsertScenario<Versioned>(tenant => [new Versioned { Id = 1, Name = tenant, Version = 7 }]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Row_version_of_the_database(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<RowVersioned>(tenant => [new RowVersioned { Id = 1, Name = tenant }])
            {
                IsReadBack = false,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Own_tenant_property(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<OwnTenant>(
                tenant => [new OwnTenant { Id = 1, TenantId = tenant, Name = tenant }, new OwnTenant { Id = 2, TenantId = tenant, Name = tenant }]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Derived_type_with_an_ignored_tenant_property(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Person>(tenant => [new Landlord { Id = 1, Name = tenant }, new Person { Id = 2, Name = tenant }]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Lazy_loading_and_notifying_entities(Tables tables)
        => VerifyAsync(tables, new BulkInsertScenario<Notifier>(tenant => [new Notifier { Id = 1, Name = tenant }, new Notifier { Id = 2 }]));

    [Fact]
    public async Task Type_without_table_is_refused()
    {
        await using var green = For("Green");

        var exception = await Assert.ThrowsAsync<NotSupportedException>(
            () => green.Tenancy().BulkInsertAsync([new SalesOfItem { Item = "x" }]));

        Assert.Contains("not mapped to a table", exception.Message, StringComparison.Ordinal);
    }
}
