using System.Linq.Expressions;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     Finbuckle's other hole: a row is hung under a parent of another tenant without complaint, and comes with it in every Include.
///     Here Green does it by value, by navigation, and by moving a row from one parent to another.
/// </summary>
public class ForeignParentTest(Clinics clinics) : IClassFixture<Clinics>
{
    /// <summary>Red's parents have the id 2, Green's the id 1; so have their children.</summary>
    private static readonly Dictionary<string, Action<ClinicContext>> ByValue = new()
    {
        ["new child"] = c => c.Add(new Visit { Reason = "stolen", PatientId = 2 }),
        ["new child, own tenant property"] = c => c.Add(new Bed { Name = "stolen", WardId = 2 }),
        ["new child that names its tenant"] = c => c.Add(new Bed { Name = "stolen", WardId = 2, TenantId = "Green" }),
        ["new child of a stub"] = c => c.Add(new Visit { Reason = "stolen", Patient = c.Attach(new Patient { Id = 2, Name = "" }).Entity }),
        ["new child in the collection of a stub"] = c => c.Attach(new Patient { Id = 2, Name = "" }).Entity.Visits.Add(new Visit { Reason = "stolen" }),
        ["moved by value"] = c => c.Visits.Find(1)!.PatientId = 2,
        ["moved by value, own tenant property"] = c => c.Beds.Find(1)!.WardId = 2,
        ["moved by entry"] = c => c.Entry(c.Visits.Find(1)!).Property(v => v.PatientId).CurrentValue = 2,
        ["moved by posted values"] = c => c.Entry(c.Beds.Find(1)!).CurrentValues.SetValues(new { WardId = 2 }),
        ["moved to a stub"] = c => c.Visits.Find(1)!.Patient = c.Attach(new Patient { Id = 2, Name = "" }).Entity,
        ["moved into the collection of a stub"] = c => c.Attach(new Ward { Id = 2, Name = "" }).Entity.Beds.Add(c.Beds.Find(1)!),
        ["posted child"] = c => c.Update(new Visit { Id = 1, Reason = "stolen", PatientId = 2 }),
        ["posted child that names its tenant"] = c => c.Update(new Bed { Id = 1, Name = "stolen", WardId = 2, TenantId = "Green" }),
        ["owned row of a stub"] = c => c.Attach(new Patient { Id = 2, Name = "" }).Entity.Contacts.Add(new Contact { Phone = "stolen" }),
    };

    /// <summary>Links that give a row of one tenant the tenant of the other: EF refuses them, as the tenant is part of the key.</summary>
    private static readonly Dictionary<string, Action<ClinicContext>> Moves = new()
    {
        ["moved by navigation"] = c => c.Visits.Find(1)!.Patient = RedPatient(c),
        ["moved by navigation, own tenant property"] = c => c.Beds.Find(1)!.Ward = RedWard(c),
        ["moved into the collection"] = c => RedPatient(c).Visits.Add(c.Visits.Find(1)!),
        ["moved into the collection, own tenant property"] = c => RedWard(c).Beds.Add(c.Beds.Find(1)!),
        ["moved by reference entry"] = c => c.Entry(c.Visits.Find(1)!).Reference(v => v.Patient).CurrentValue = RedPatient(c),
        ["child of Red moved to the own parent"] = c => RedVisit(c).Patient = c.Patients.Find(1),
        ["child of Red moved to the own parent, own tenant property"] = c => RedBed(c).Ward = c.Wards.Find(1),
        ["child of Red moved into the own collection"] = c => c.Patients.Find(1)!.Visits.Add(RedVisit(c)),
        ["child of Red moved into the own collection, own tenant property"] = c => c.Wards.Find(1)!.Beds.Add(RedBed(c)),
        ["owned row of Red taken over"] = c => c.Patients.Find(1)!.Contacts.Add(RedPatient(c, p => p.Contacts).Contacts[0]),
    };

    private static readonly Dictionary<string, Action<ClinicContext>> WritesOfRed = new()
    {
        ["new child"] = c => c.Add(new Visit { Reason = "stolen", Patient = RedPatient(c) }),
        ["new child, own tenant property"] = c => c.Add(new Bed { Name = "stolen", Ward = RedWard(c) }),
        ["new child in the collection"] = c => RedPatient(c).Visits.Add(new Visit { Reason = "stolen" }),
        ["new child in the collection, own tenant property"] = c => RedWard(c).Beds.Add(new Bed { Name = "stolen" }),
        ["new child by its tenant and the parent's id"] = c => c.Add(new Bed { Name = "stolen", TenantId = "Red", WardId = RedWard(c).Id }),
        ["child of Red moved by value"] = c => RedBed(c).WardId = 1,
        ["child of Red orphaned"] = c => RedWard(c, w => w.Beds).Beds[0].Ward = null,
        ["child of Red taken out of its parent"] = c => RedPatient(c, p => p.Visits).Visits.Clear(),
        ["owned row of Red changed"] = c => RedPatient(c, p => p.Contacts).Contacts[0].Phone = "stolen",
        ["owned row of Red removed"] = c => RedPatient(c, p => p.Contacts).Contacts.Clear(),
        ["owned row of Red replaced"] = c => RedPatient(c, p => p.Contacts).Address = new Residence { City = "stolen" },
        ["owned row added to Red's"] = c => RedPatient(c, p => p.Contacts).Contacts.Add(new Contact { Phone = "stolen" }),
    };

    [Theory]
    [ClassData(typeof(AllClinics))]
    public Task The_id_of_another_tenants_parent_is_refused(ClinicTables tables)
        => AssertRefusedAsync(
            tables,
            ByValue,
            (early, refused) =>
            {
                Assert.Null(early);
                var reason = Assert.IsType<DbUpdateException>(refused).InnerException;
                if (tables == ClinicTables.IdOnly)
                {
                    Assert.IsType<CrossTenantWriteException>(reason);
                }
                else
                {
                    Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, Assert.IsType<PostgresException>(reason).SqlState);
                }
            });

    [Theory]
    [ClassData(typeof(AllClinics))]
    public Task No_row_moves_between_tracked_rows_of_two_tenants(ClinicTables tables)
        => AssertRefusedAsync(
            tables,
            Moves,
            (early, refused) =>
            {
                Assert.True(early is null or InvalidOperationException, $"{early}");
                if (tables == ClinicTables.IdOnly && (refused is CrossTenantWriteException || IsOfReference(refused)))
                {
                    return;
                }

                Assert.Contains("is part of a key", Assert.IsType<InvalidOperationException>(refused).Message, StringComparison.Ordinal);
            });

    [Theory]
    [ClassData(typeof(AllClinics))]
    public Task A_row_hung_under_or_taken_from_a_tracked_row_of_another_tenant_is_that_tenants(ClinicTables tables)
        => AssertRefusedAsync(
            tables,
            WritesOfRed,
            (early, refused) =>
            {
                // Nor does an Include lead to rows of the predicate's tenants, and EfTenancy refuses the query.
                if (tables == ClinicTables.IdOnly && early is InvalidOperationException)
                {
                    return;
                }

                Assert.Null(early);

                // Without the tenant in the keys a new child is Green's, whose parent is not.
                if (tables == ClinicTables.IdOnly && IsOfReference(refused))
                {
                    return;
                }

                Assert.Equal("Red", Assert.IsType<CrossTenantWriteException>(refused).RowTenantId);
            });

    // Refused as one to a row that is not there.
    private static bool IsOfReference(Exception? refused)
        => refused is DbUpdateException { InnerException: CrossTenantWriteException };

    // Nothing may change, so one database serves all.
    private async Task AssertRefusedAsync(ClinicTables tables, Dictionary<string, Action<ClinicContext>> ways, Action<Exception?, Exception?> assert)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        var before = await clinic.Database.RowsOfAsync("Green");
        foreach (var (way, write) in ways)
        {
            foreach (var save in (Func<DbContext, Task>[])[c => c.SaveChangesAsync(), c => Task.FromResult(c.SaveChanges())])
            {
                await using var green = clinic.For("Green");
                var early = Record.Exception(() => write(green));
                var refused = await Record.ExceptionAsync(() => save(green));

                Assert.True(early is not null || refused is not null, $"Not refused: {way}");
                assert(early, refused);
                Assert.Equal(before, await clinic.Database.RowsOfAsync("Green"));
                await clinic.AssertRedIsUntouchedAsync("after: " + way);
            }
        }
    }

    private static Patient RedPatient<T>(ClinicContext context, Expression<Func<Patient, T>> include)
        => context.Patients.Include(include).AsSingleQuery().Single(p => p.TenantIsOneOf("Red"));

    private static Patient RedPatient(ClinicContext context)
        => context.Patients.Single(p => p.TenantIsOneOf("Red"));

    private static Visit RedVisit(ClinicContext context)
        => context.Visits.Single(v => v.TenantIsOneOf("Red"));

    private static Ward RedWard<T>(ClinicContext context, Expression<Func<Ward, T>> include)
        => context.Wards.Include(include).Single(w => w.TenantIsOneOf("Red"));

    private static Ward RedWard(ClinicContext context)
        => context.Wards.Single(w => w.TenantIsOneOf("Red"));

    private static Bed RedBed(ClinicContext context)
        => context.Beds.Single(b => b.TenantIsOneOf("Red"));
}
