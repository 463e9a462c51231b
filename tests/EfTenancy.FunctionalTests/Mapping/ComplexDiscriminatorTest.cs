using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>
///     A discriminator tells whether an optional complex type is there. EF's queries do not read it, and lost the type where its entity had another
///     shadow property, as the tenant is.
/// </summary>
public sealed class ComplexDiscriminatorTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Complex_value_outlives_an_update_of_its_row(bool withTenancy)
    {
        var database = await CreateAsync(withTenancy, new Parcel { IsFragile = true, Ribbon = new Ribbon { IsRed = true } });

        await using (var db = Context(database, withTenancy))
        {
            db.Update(await db.Gifts.SingleAsync());
            await db.SaveChangesAsync();
        }

        Assert.Equal([(true, "Parcel", "Ribbon")], await RowsAsync(database));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_without_the_complex_value_that_holds_another_is_updated(bool withTenancy)
    {
        var database = await CreateAsync(withTenancy, parcel: null);

        await using (var db = Context(database, withTenancy))
        {
            db.Update(await db.Gifts.SingleAsync());
            await db.SaveChangesAsync();
        }

        Assert.Equal([((bool?)null, (string?)null, (string?)null)], await RowsAsync(database));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Complex_value_that_came_or_went_is_saved_although_its_row_was_read_again(bool withTenancy)
    {
        var database = await CreateAsync(withTenancy, new Parcel { IsFragile = true, Ribbon = new Ribbon { IsRed = true } });

        await SetAsync(null);
        Assert.Equal([((bool?)null, (string?)null, (string?)null)], await RowsAsync(database));

        await SetAsync(new Parcel { IsFragile = false });
        Assert.Equal([(false, "Parcel", null)], await RowsAsync(database));

        async Task SetAsync(Parcel? parcel)
        {
            await using var db = Context(database, withTenancy);
            var gift = await db.Gifts.SingleAsync();
            gift.Parcel = parcel;
            db.ChangeTracker.DetectChanges();
            await db.Gifts.ToListAsync();
            await db.SaveChangesAsync();
        }
    }

    private async Task<TestDatabase> CreateAsync(bool withTenancy, Parcel? parcel)
    {
        var database = await DatabaseAsync();
        await using var db = Context(database, withTenancy);
        await db.Database.EnsureCreatedAsync();
        db.Add(new Gift { Parcel = parcel });
        await db.SaveChangesAsync();
        return database;
    }

    private static async Task<List<(bool? IsFragile, string? Discriminator, string? OfRibbon)>> RowsAsync(TestDatabase database)
    {
        await using var plain = new PlainContext(new DbContextOptionsBuilder().UseTestDatabase(database.ConnectionString).Options);
        var rows = await plain.Database
            .SqlQuery<Row>(
                $"""
                SELECT "Parcel_IsFragile" AS "IsFragile", "Parcel_Discriminator" AS "Discriminator", "Parcel_Ribbon_Discriminator" AS "OfRibbon"
                FROM "Gifts"
                """)
            .ToListAsync();
        return [.. rows.Select(r => (r.IsFragile, r.Discriminator, r.OfRibbon))];
    }

    private static GiftContext Context(TestDatabase database, bool withTenancy)
    {
        var options = new DbContextOptionsBuilder().UseTestDatabase(database.ConnectionString);
        if (!withTenancy)
        {
            return new PlainContext(options.Options);
        }

        var context = new GiftContext(options.UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        context.Tenancy().Use("Green");
        return context;
    }

    private class GiftContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Gift> Gifts => Set<Gift>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Gift>().ComplexProperty(
                g => g.Parcel,
                parcel =>
                {
                    parcel.HasDiscriminator();
                    parcel.ComplexProperty(p => p.Ribbon, ribbon => ribbon.HasDiscriminator());
                });
    }

    private sealed class PlainContext(DbContextOptions options) : GiftContext(options);

    private sealed class Gift
    {
        public int Id { get; set; }

        public Parcel? Parcel { get; set; }
    }

    private sealed class Parcel
    {
        public bool? IsFragile { get; set; }

        public Ribbon? Ribbon { get; set; }
    }

    private sealed class Ribbon
    {
        public bool? IsRed { get; set; }
    }

    private sealed record Row(bool? IsFragile, string? Discriminator, string? OfRibbon);
}
