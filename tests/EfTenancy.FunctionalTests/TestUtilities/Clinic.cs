using EfTenancy.FunctionalTests.Mapping;
using EfTenancy.FunctionalTests.TestModels;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>
///     A clinic of one test. Each tenant has one row of everything: Green's have the id 1, Red's the id 2, and the name of each row
///     is its tenant's. Nation 1 is global.
/// </summary>
public sealed class Clinic : IAsyncDisposable
{
    private readonly MappingDatabase<ClinicContext> _fixture;
    private List<string> _red = [];

    private Clinic(MappingDatabase<ClinicContext> fixture, TestDatabase database)
    {
        _fixture = fixture;
        Database = database;
    }

    public TestDatabase Database { get; }

    public static async Task<Clinic> OpenAsync(MappingDatabase<ClinicContext> fixture)
    {
        var clinic = new Clinic(fixture, await fixture.CloneAsync());
        await using (var global = clinic.For("Green"))
        {
            global.Add(new Nation { Id = 1, Name = "Nation" });
            await global.SaveChangesAsync();
        }

        foreach (var (tenant, id) in ((string, int)[])[("Green", 1), ("Red", 2)])
        {
            await using var context = clinic.For(tenant);
            context.AddRange(RowsOf(tenant, id));
            await context.SaveChangesAsync();
        }

        // The rows above were given their ids; generated ones come after them. From PostgreSQL 17 on partitions show their table's identity.
        await clinic.Database.ExecuteAsync(
            """
            DO $$ DECLARE c record; BEGIN
                FOR c IN SELECT attrelid::regclass AS t, attname FROM pg_attribute JOIN pg_class r ON r.oid = attrelid
                    WHERE attidentity <> '' AND NOT r.relispartition LOOP
                    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I RESTART WITH 100', c.t, c.attname);
                END LOOP;
            END $$
            """);
        await clinic.RememberRedAsync();
        return clinic;
    }

    /// <summary>One row of everything.</summary>
    public static object[] RowsOf(string name, int id)
        =>
        [
            new Patient
            {
                Id = id,
                Name = name,
                Number = $"{id}",
                NationId = 1,
                Address = new Residence { City = name },
                Contacts = { new Contact { Id = id, Phone = name } },
                Visits = { new Visit { Id = id, Reason = name } },
            },
            new Ward { Id = id, Name = name, Version = 1, Beds = { new Bed { Id = id, Name = name } } },
            new Doctor { Id = id, Name = name, Field = name },
            new Scanner { Id = id, Name = name, Range = name },
        ];

    /// <summary>What Red has now is what it shall have.</summary>
    public async Task RememberRedAsync()
    {
        _red = await Database.RowsOfAsync("Red");
        Assert.NotEmpty(_red);
    }

    public ClinicContext For(string tenant)
    {
        var context = _fixture.CreateContext(Database.ConnectionString);
        context.Tenancy().Use(tenant);
        return context;
    }

    /// <summary>Nobody wrote a row of Red, added one, or took one.</summary>
    public async Task AssertRedIsUntouchedAsync(string after = "")
    {
        var now = await Database.RowsOfAsync("Red");
        Assert.True(
            _red.SequenceEqual(now),
            $"Rows of Red changed {after}\nbefore:\n{string.Join('\n', _red.Except(now))}\nnow:\n{string.Join('\n', now.Except(_red))}");
    }

    public ValueTask DisposeAsync()
        => Database.DisposeAsync();
}
