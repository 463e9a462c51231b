using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     Finbuckle's write hole: an UPDATE or DELETE that looks for the key alone takes the row of another tenant, whoever posts its id,
///     with its own tenant, with the other's, or with none. Here a context of Green posts the id of Red's row in all these ways.
/// </summary>
public class StolenRowTest(Clinics clinics) : IClassFixture<Clinics>
{
    private const string Stolen = "stolen";

    /// <summary>Each makes the object that an application binds a post to: an id and new values.</summary>
    private static readonly Dictionary<string, Func<int, object>> Posts = new()
    {
        ["shadow tenant"] = id => new Patient { Id = id, Name = Stolen },
        ["owned row and owned collection"] = id => new Patient
        {
            Id = id, Name = Stolen, Address = new Residence { City = Stolen }, Contacts = { new Contact { Id = id, Phone = Stolen } },
        },
        ["own tenant property"] = id => new Ward { Id = id, Name = Stolen, Version = 1 },
        ["graph"] = id => new Ward { Id = id, Name = Stolen, Version = 1, Beds = { new Bed { Id = id, Name = Stolen } } },
        ["one table for a hierarchy"] = id => new Doctor { Id = id, Name = Stolen, Field = Stolen },
        ["the base of a hierarchy"] = id => new Employee { Id = id, Name = Stolen },
        ["a table for each type"] = id => new Scanner { Id = id, Name = Stolen, Range = Stolen },
    };

    private static readonly Dictionary<string, Action<DbContext, object>> Writes = new()
    {
        ["Update"] = (c, e) => c.Update(e),
        ["Attach, then Modified"] = (c, e) => c.Attach(e).State = EntityState.Modified,
        ["Attach, then one property"] = (c, e) => c.Attach(e).Properties.First(p => p.Metadata.Name is "Name").IsModified = true,
        ["Entry, Modified"] = (c, e) => c.Entry(e).State = EntityState.Modified,
        ["TrackGraph, Modified"] = (c, e) => c.ChangeTracker.TrackGraph(e, n => n.Entry.State = EntityState.Modified),
        ["Remove"] = (c, e) => c.Remove(e),
        ["Entry, Deleted"] = (c, e) => c.Entry(e).State = EntityState.Deleted,
        ["Attach, then Remove"] = (c, e) => c.Remove(c.Attach(e).Entity),
    };

    /// <summary>Ways to say whose row it is, before the context looks at the state and after.</summary>
    private static readonly Dictionary<string, (Action<EntityEntry>? Before, Action<EntityEntry>? After)> Overposts = new()
    {
        ["current value"] = (e => Tenant(e).CurrentValue = "Red", null),
        ["posted values"] = (e => e.CurrentValues.SetValues(new { TenantId = "Red" }), null),
        ["original value"] = (e => Tenant(e).OriginalValue = "Red", null),
        ["original values"] = (e => e.OriginalValues.SetValues(new Dictionary<string, object?> { ["TenantId"] = "Red" }), null),
        ["both"] = (e => (Tenant(e).CurrentValue, Tenant(e).OriginalValue) = ("Red", "Red"), null),
        ["current value, late"] = (null, e => Tenant(e).CurrentValue = "Red"),
        ["posted values, late"] = (null, e => e.CurrentValues.SetValues(new { TenantId = "Red" })),
        ["original value, late"] = (null, e => Tenant(e).OriginalValue = "Red"),
        ["original values, late"] = (null, e => e.OriginalValues.SetValues(new Dictionary<string, object?> { ["TenantId"] = "Red" })),
    };

    public static MatrixTheoryData<ClinicTables, string> EveryPost
        => new(Enum.GetValues<ClinicTables>(), Posts.Keys);

    /// <summary>Without the tenant in the keys an id exists once.</summary>
    public static MatrixTheoryData<ClinicTables, string> EveryPostOfSharedIds
        => new(Enum.GetValues<ClinicTables>().Except([ClinicTables.IdOnly]), Posts.Keys);

    [Theory]
    [MemberData(nameof(EveryPost))]
    public async Task A_posted_id_of_another_tenants_row_finds_no_row(ClinicTables tables, string post)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        foreach (var (name, write) in Writes)
        {
            foreach (var tenant in (string?[])[null, "", "Green"])
            {
                await using var green = clinic.For("Green");
                write(green, Post(post, 2, tenant));

                Assert.All(await RefusalsAsync(green), AssertFindsNoRow);
            }

            await clinic.AssertRedIsUntouchedAsync("after " + name);
        }

        await AssertNothingIsStolenAsync(clinic);

        // Without the tenant in the keys, a save looks itself whether a child's parent is of its tenant.
        void AssertFindsNoRow(Exception? refused)
            => Assert.IsType(
                tables == ClinicTables.IdOnly && refused is DbUpdateException { InnerException: CrossTenantWriteException } && post == "graph"
                    ? typeof(DbUpdateException)
                    : typeof(DbUpdateConcurrencyException),
                refused);
    }

    [Theory]
    [MemberData(nameof(EveryPost))]
    public async Task A_posted_id_does_not_show_the_database_values_of_another_tenants_row(ClinicTables tables, string post)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        await using var green = clinic.For("Green");
        green.Attach(Post(post, 2, tenant: null));
        foreach (var entry in green.ChangeTracker.Entries().ToList())
        {
            Assert.Null(await entry.GetDatabaseValuesAsync());
            Assert.Null(entry.GetDatabaseValues());
        }

        foreach (var entry in green.ChangeTracker.Entries().ToList())
        {
            await entry.ReloadAsync();
            Assert.Equal(EntityState.Detached, entry.State);
            Assert.DoesNotContain(entry.Properties, p => p.CurrentValue is "Red");
        }

        await using var red = clinic.For("Red");
        Assert.NotNull(await red.Attach(Post(post, 2, tenant: null)).GetDatabaseValuesAsync());
    }

    [Theory]
    [MemberData(nameof(EveryPostOfSharedIds))]
    public async Task A_posted_id_that_both_tenants_have_is_the_contexts_row(ClinicTables tables, string post)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        var ids = Enumerable.Range(10, Writes.Count).ToList();
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = clinic.For(tenant);
            context.AddRange(ids.SelectMany(id => Clinic.RowsOf(tenant, id)));
            await context.SaveChangesAsync();
        }

        await clinic.RememberRedAsync();
        foreach (var (id, (name, write)) in ids.Zip(Writes))
        {
            var before = await clinic.Database.RowsOfAsync("Green");
            await using var green = clinic.For("Green");
            write(green, Post(post, id, tenant: null));
            await green.SaveChangesAsync();

            await clinic.AssertRedIsUntouchedAsync("after " + name);
            Assert.NotEqual(before, await clinic.Database.RowsOfAsync("Green"));
        }
    }

    [Theory]
    [MemberData(nameof(EveryPost))]
    public async Task A_posted_tenant_does_not_lead_to_its_row(ClinicTables tables, string post)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        foreach (var (name, write) in Writes)
        {
            foreach (var (how, (before, after)) in Overposts)
            {
                foreach (var detects in (bool[])[true, false])
                {
                    await using var green = clinic.For("Green");
                    green.ChangeTracker.AutoDetectChangesEnabled = detects;
                    var posted = Post(post, 2, tenant: null);
                    var early = Record.Exception(
                        () =>
                        {
                            before?.Invoke(green.Entry(posted));
                            write(green, posted);
                            after?.Invoke(green.Entry(posted));
                        });

                    // EF refuses what it sees to change a key, and keeps the value all the same.
                    Assert.True(early is null or InvalidOperationException, $"{name}, {how}: {early}");
                    Assert.All(await RefusalsAsync(green), e => Assert.IsAssignableFrom<InvalidOperationException>(e));
                }
            }

            await clinic.AssertRedIsUntouchedAsync($"after {name} with the tenant of Red");
        }

        await AssertNothingIsStolenAsync(clinic);
    }

    [Theory]
    [MemberData(nameof(EveryPost))]
    public async Task A_posted_tenant_is_refused_by_name(ClinicTables tables, string post)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        foreach (var (name, write) in Writes)
        {
            await using var green = clinic.For("Green");
            var posted = Post(post, 2, tenant: "Red");
            if (posted.GetType().GetProperty("TenantId") is null)
            {
                Tenant(green.Entry(posted)).CurrentValue = "Red";
            }

            // A child without tenant is Green's, which its parent of Red is not.
            var early = Record.Exception(() => write(green, posted));
            if (early is not null)
            {
                Assert.Equal("graph", post);
                Assert.IsType<InvalidOperationException>(early);
                continue;
            }

            Assert.All(
                await RefusalsAsync(green),
                e => Assert.Equal("Red", Assert.IsType<CrossTenantWriteException>(e).RowTenantId));
            await clinic.AssertRedIsUntouchedAsync("after " + name);
        }

        await AssertNothingIsStolenAsync(clinic);
    }

    [Theory]
    [ClassData(typeof(AllClinics))]
    public async Task A_tracked_row_of_another_tenant_cannot_be_taken_over(ClinicTables tables)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        foreach (var (name, takeOver) in new Dictionary<string, Action<EntityEntry>>
                 {
                     ["current value"] = e => Tenant(e).CurrentValue = "Green",
                     ["original value"] = e => (Tenant(e).OriginalValue, e.State) = ("Green", EntityState.Modified),
                     ["original value, deleted"] = e => (Tenant(e).OriginalValue, e.State) = ("Green", EntityState.Deleted),
                     ["values"] = e => e.CurrentValues.SetValues(new { TenantId = "Green" }),
                     ["original values"] = e =>
                     {
                         e.OriginalValues.SetValues(new { TenantId = "Green" });
                         e.Property("Name").CurrentValue = Stolen;
                     },
                     ["property"] = e =>
                     {
                         ((Ward)e.Entity).TenantId = "Green";
                         e.State = EntityState.Modified;
                     },
                     ["detached and posted again"] = e =>
                     {
                         e.State = EntityState.Detached;
                         ((Ward)e.Entity).TenantId = "Green";
                         e.Context.Update(e.Entity);
                     },
                     ["detached and deleted"] = e =>
                     {
                         e.State = EntityState.Detached;
                         ((Ward)e.Entity).TenantId = "Green";
                         e.Context.Remove(e.Entity);
                     },
                 })
        {
            foreach (var detects in (bool[])[true, false])
            {
                await using var green = clinic.For("Green");
                green.ChangeTracker.AutoDetectChangesEnabled = detects;
                var ward = await green.Wards.SingleAsync(w => w.TenantIsOneOf("Red"));
                var early = Record.Exception(() => takeOver(green.Entry(ward)));

                Assert.True(early is null or InvalidOperationException, $"{name}: {early}");
                var refusals = await RefusalsAsync(green);
                await clinic.AssertRedIsUntouchedAsync("after " + name);

                // Where EF refused at once and nothing was left to save, there is nothing to refuse.
                Assert.True(
                    early is not null || refusals.All(e => e is InvalidOperationException or DbUpdateConcurrencyException),
                    $"{name}: nothing was refused");
            }
        }

        await AssertNothingIsStolenAsync(clinic);
    }

    private static object Post(string post, int id, string? tenant)
    {
        var posted = Posts[post](id);
        posted.GetType().GetProperty("TenantId")?.SetValue(posted, tenant);
        return posted;
    }

    private static async Task<List<Exception?>> RefusalsAsync(DbContext context)
        =>
        [
            await Record.ExceptionAsync(() => context.SaveChangesAsync(acceptAllChangesOnSuccess: false)),
            Record.Exception(() => { context.SaveChanges(acceptAllChangesOnSuccess: false); }),
        ];

    // Not from Red, and not as a row of Green that was not there either.
    private static async Task AssertNothingIsStolenAsync(Clinic clinic)
        => Assert.DoesNotContain(await clinic.Database.RowsOfAsync("Green"), r => r.Contains(Stolen, StringComparison.Ordinal));

    private static PropertyEntry Tenant(EntityEntry entry)
        => entry.Property("TenantId");
}
