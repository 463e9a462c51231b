using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>Kinds of keys, in a default schema and in another one. Parts have generated keys of their own, temporary until saved.</summary>
public class KeysTest(PlainDatabase<KeysContext> plain, HashedDatabase<KeysContext> hashed) : MappingTest<KeysContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Identity(Tables tables)
        => VerifyGeneratedAsync<ByIdentity, int>(tables);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Identity_always(Tables tables)
        => VerifyGeneratedAsync<ByIdentityAlways, long>(tables);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task HiLo(Tables tables)
        => VerifyGeneratedAsync<ByHiLo, int>(tables);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Sequence(Tables tables)
        => VerifyGeneratedAsync<BySequence, int>(tables);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Serial(Tables tables)
        => VerifyGeneratedAsync<BySerial, int>(tables);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Guid_by_client(Tables tables)
        => VerifyGeneratedAsync<ByGuid, Guid>(tables);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Guid_by_database(Tables tables)
        => VerifyGeneratedAsync<ByDatabaseGuid, Guid>(tables);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Generated_key_of_an_own_type(Tables tables)
        => VerifyGeneratedAsync<ByGeneratedOwnType, OrderId>(tables);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Same_identity(Tables tables)
        => VerifyGivenAsync<ByIdentity, int>(tables, 1_000_000);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Same_guid(Tables tables)
        => VerifyGivenAsync<ByGuid, Guid>(tables, Guid.Parse("11111111-2222-3333-4444-555555555555"));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Name_in_another_schema(Tables tables)
        => VerifyGivenAsync<ByName, string>(tables, "it's \"one\"");

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Converted_enum(Tables tables)
        => VerifyGivenAsync<ByWeekday, DayOfWeek>(tables, DayOfWeek.Friday);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Bytes(Tables tables)
        => VerifyGivenAsync<ByBytes, byte[]>(tables, [1, 2, 3]);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Own_type(Tables tables)
        => VerifyGivenAsync<ByOwnType, OrderId>(tables, new OrderId(7));

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Temporary_keys_of_a_graph_become_the_generated_ones(Tables tables)
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tables, tenant);
            context.AddRange(
                Enumerable.Range(0, 5).Select(i => new Keyed<ByIdentity, int>
                {
                    Name = $"{tenant}{i}",
                    Parts = { new Part<ByIdentity, int> { Name = $"{tenant}{i}" }, new Part<ByIdentity, int> { Name = $"{tenant}{i}" } },
                }));
            await context.SaveChangesAsync();
        }

        Assert.Equal(
            10,
            await Database(tables).ScalarAsync<long>(
                """
                SELECT count(*)
                FROM keys."ByIdentityParts" p
                JOIN keys."ByIdentity" o ON (p."OwnerId", p."TenantId", p."Name") = (o."Id", o."TenantId", o."Name")
                WHERE o."TenantId" = 'Red'
                """));
        await Database(tables).ExecuteAsync("""DELETE FROM keys."ByIdentity" """);
    }

    private Task VerifyGeneratedAsync<TKind, TKey>(Tables tables)
        => VerifyAsync(
            tables,
            Scenario<TKind, TKey>(
                tenant => new Keyed<TKind, TKey>
                {
                    Name = tenant, Parts = { new Part<TKind, TKey> { Name = tenant }, new Part<TKind, TKey> { Name = tenant } },
                })
            with
            {
                IsDetachedByQuery = true,
            });

    private Task VerifyGivenAsync<TKind, TKey>(Tables tables, TKey id)
        => VerifyAsync(
            tables,
            Scenario<TKind, TKey>(
                tenant => new Keyed<TKind, TKey> { Id = id, Name = tenant, Parts = { new Part<TKind, TKey> { Id = 1, Name = tenant } } }));

    private static MappingScenario<Keyed<TKind, TKey>> Scenario<TKind, TKey>(Func<string, Keyed<TKind, TKey>> create)
        => new(
            create,
            entity => (entity.Name, entity.Parts[0].Name) = (entity.Name + "!", entity.Parts[0].Name + "!"),
            entity => new Keyed<TKind, TKey> { Id = entity.Id, Name = "" })
        {
            Load = entities => entities.Include(e => e.Parts),
        };
}
