using System.Globalization;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     What leaked in other tenancy libraries, done here: Hibernate (HHH-20883), activerecord-multi-tenant (29, 30, 195, 223, 255),
///     acts_as_tenant (34, 37, 207, 368), apartment (186), avni-server (1009), multi_tenancy_bundle (50). Green is the context's tenant.
/// </summary>
public class IncidentsElsewhereTest(Clinics clinics) : IClassFixture<Clinics>
{
    private static readonly AsyncLocal<string?> Ambient = new();

    /// <summary>Statements over many rows whose shape made others lose the tenant. Each would meet a row of Red without it.</summary>
    private static readonly Dictionary<string, Func<ClinicContext, Task<int>>> BulkStatements = new()
    {
        ["all, update"] = c => c.Visits.ExecuteUpdateAsync(s => s.SetProperty(v => v.Reason, "x")),
        ["all, delete"] = c => c.Visits.ExecuteDeleteAsync(),
        ["by id, update"] = c => c.Visits.Where(v => v.Id == 2).ExecuteUpdateAsync(s => s.SetProperty(v => v.Reason, "x")),
        ["by id, delete"] = c => c.Visits.Where(v => v.Id == 2).ExecuteDeleteAsync(),
        ["by the parent's id"] = c => c.Visits.Where(v => v.PatientId == 2).ExecuteDeleteAsync(),
        ["by a navigation"] = c => c.Visits.Where(v => v.Patient!.Name != "").ExecuteDeleteAsync(),
        ["by children"] = c => c.Wards.Where(w => w.Beds.Any(b => b.Name != "")).ExecuteUpdateAsync(s => s.SetProperty(w => w.Name, "x")),
        ["through a parent"] = c => c.Patients.SelectMany(p => p.Visits).ExecuteDeleteAsync(),
        ["through a global parent"] = c => c.Nations.SelectMany(n => n.Patients).ExecuteUpdateAsync(s => s.SetProperty(p => p.Name, "x")),
        ["ordered and limited"] = c => c.Beds.OrderByDescending(b => b.Id).Take(1).ExecuteDeleteAsync(),
        ["skipped"] = c => c.Wards.OrderBy(w => w.Id).Skip(1).ExecuteUpdateAsync(s => s.SetProperty(w => w.Name, "x")),
        ["distinct"] = c => c.Beds.Distinct().ExecuteUpdateAsync(s => s.SetProperty(b => b.Name, "x")),
        ["joined"] = c => c.Beds.Join(c.Wards, b => b.WardId, w => w.Id, (b, w) => new { b, w })
            .ExecuteUpdateAsync(s => s.SetProperty(x => x.b.Name, x => x.w.Name + "x")),
        ["left joined"] = c => c.Beds.LeftJoin(c.Wards, b => b.Id, w => w.Id + 1, (b, w) => new { b, w })
            .ExecuteUpdateAsync(s => s.SetProperty(x => x.b.Name, x => x.w!.Name + "x")),
        ["by a subquery"] = c => c.Beds.Where(b => c.Wards.Any(w => w.Id == 2)).ExecuteDeleteAsync(),
        ["by a set"] = c => c.Beds.Where(b => c.Wards.Select(w => w.Id).Contains(b.Id)).ExecuteDeleteAsync(),
        ["by a group"] = c => c.Beds.Where(b => c.Beds.GroupBy(x => x.Name).Select(g => g.Max(x => x.Id)).Contains(b.Id)).ExecuteDeleteAsync(),
        ["of two sets"] = c => c.Beds.Where(b => b.Id == 1).Union(c.Beds.Where(b => b.Id == 2)).ExecuteDeleteAsync(),
        ["one table for a hierarchy"] = c => c.Set<Doctor>().ExecuteDeleteAsync(),
        ["a table for each type"] = c => c.Set<Scanner>().ExecuteUpdateAsync(s => s.SetProperty(d => d.Range, "x")),
        ["the base of a hierarchy"] = c => c.Devices.ExecuteUpdateAsync(s => s.SetProperty(d => d.Name, "x")),
        ["an owned row"] = c => c.Patients.ExecuteUpdateAsync(s => s.SetProperty(p => p.Address!.City, "x")),
        ["raw SQL below"] = c => c.Beds.FromSql($"SELECT * FROM \"Beds\"").ExecuteDeleteAsync(),
    };

    /// <summary>Questions whose answer would tell that another tenant has rows, and how many.</summary>
    private static readonly Dictionary<string, Func<ClinicContext, Task<object?>>> Questions = new()
    {
        ["count"] = async c => await c.Visits.CountAsync(),
        ["count of a predicate"] = async c => await c.Visits.LongCountAsync(v => v.Id > 0),
        ["any"] = async c => await c.Visits.AnyAsync(v => v.Id == 2),
        ["all"] = async c => await c.Visits.AllAsync(v => v.Reason == "Green"),
        ["max"] = async c => await c.Visits.MaxAsync(v => v.Id),
        ["sum"] = async c => await c.Visits.SumAsync(v => v.Id),
        ["average"] = async c => await c.Visits.AverageAsync(v => v.Id),
        ["contains"] = async c => await c.Visits.Select(v => v.Id).ContainsAsync(2),
        ["last"] = async c => (await c.Visits.OrderBy(v => v.Id).LastAsync()).Reason,
        ["element"] = async c => (await c.Visits.OrderBy(v => v.Id).ElementAtOrDefaultAsync(1))?.Reason,
        ["page"] = async c => string.Join(',', await c.Visits.OrderByDescending(v => v.Id).Take(5).Select(v => v.Reason).ToListAsync()),
        ["groups"] = async c => await c.Visits.GroupBy(v => v.PatientId).CountAsync(),
        ["group totals"] = async c => string.Join(',', await c.Visits.GroupBy(v => 1).Select(g => g.Count()).ToListAsync()),
        ["join by id"] = async c => await c.Visits.Join(c.Patients, v => 2, p => p.Id, (v, p) => p).CountAsync(),
        ["cross join"] = async c => await c.Visits.SelectMany(v => c.Patients, (v, p) => p.Name).CountAsync(),
        ["left join"] = async c => await c.Patients.LeftJoin(c.Wards, p => p.Id + 1, w => w.Id, (p, w) => w).CountAsync(w => w != null),
        ["right join"] = async c => await c.Wards.RightJoin(c.Patients, w => w.Id, p => p.Id, (w, p) => p).CountAsync(),
        ["group join"] = async c => await c.Nations.GroupJoin(c.Patients, n => n.Id, p => p.NationId, (n, ps) => ps.Count()).SumAsync(),
        ["union"] = async c => await c.Visits.Select(v => v.Reason).Union(c.Patients.Select(p => p.Name)).CountAsync(),
        ["except"] = async c => await c.Visits.Select(v => v.Id).Except(c.Patients.Where(p => p.Id == 1).Select(p => p.Id)).CountAsync(),
        ["intersect"] = async c => await c.Wards.Select(w => w.Id + 1).Intersect(c.Patients.Select(p => p.Id)).CountAsync(),
        ["children of a global row"] = async c => await c.Nations.Select(n => n.Patients.Count).SingleAsync(),
        ["grandchildren of a global row"] = async c => await c.Nations.SelectMany(n => n.Patients).SelectMany(p => p.Visits).CountAsync(),
        ["owned rows of a global row's children"] = async c => await c.Nations.SelectMany(n => n.Patients).SelectMany(p => p.Contacts).CountAsync(),
        ["global rows by their children"] = async c => await c.Nations.CountAsync(n => n.Patients.Any(p => p.Name == "Red")),
        ["global rows ordered by their children"] = async c
            => await c.Nations.OrderBy(n => n.Patients.Count).Select(n => n.Patients.Max(p => p.Id)).FirstAsync(),
        ["include"] = async c => (await c.Nations.Include(n => n.Patients).ThenInclude(p => p.Visits).AsSingleQuery().SingleAsync()).Patients.Count,
        ["split include"] = async c
            => (await c.Nations.Include(n => n.Patients).ThenInclude(p => p.Visits).AsSplitQuery().SingleAsync()).Patients.Sum(p => p.Visits.Count),
        ["filtered include"] = async c
            => (await c.Nations.Include(n => n.Patients.Where(p => p.Id > 0).OrderByDescending(p => p.Id).Take(9)).AsSplitQuery().SingleAsync())
                .Patients.Count,
        ["untracked include"] = async c
            => (await c.Nations.Include(n => n.Patients).AsSplitQuery().AsNoTrackingWithIdentityResolution().SingleAsync()).Patients.Count,
        ["eager projection"] = async c
            => (await c.Nations.Select(n => new { n.Id, Names = n.Patients.Select(p => p.Name).ToList() }).AsSingleQuery().SingleAsync()).Names.Count,
        ["explicit load"] = async c =>
        {
            var nation = await c.Nations.SingleAsync();
            await c.Entry(nation).Collection(n => n.Patients).LoadAsync();
            return nation.Patients.Count + (100 * await c.Entry(nation).Collection(n => n.Patients).Query().CountAsync());
        },
        ["hierarchy"] = async c => await c.Employees.CountAsync() + (100 * await c.Set<Scanner>().CountAsync()),
        ["type test"] = async c => await c.Devices.CountAsync(d => d is Scanner),
        ["find"] = async c => await c.Visits.FindAsync(2),
        ["raw SQL below"] = async c => await c.Visits.FromSql($"SELECT * FROM \"Visits\"").CountAsync(),
    };

    [Theory]
    [ClassData(typeof(AllClinics))]
    public async Task Statements_over_many_rows_keep_the_tenant_whatever_their_shape(ClinicTables tables)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        foreach (var (shape, run) in BulkStatements)
        {
            // Green has one row of everything.
            await using var green = clinic.For("Green");
            Assert.True(await run(green) <= 1, $"{shape}: wrote rows of others");
            await clinic.AssertRedIsUntouchedAsync("after: " + shape);

            // The shape tells something only if it would meet a row of Red.
            var own = await TriedAsync(green, run);
            using (green.Tenancy().AcrossTenants("what it would write"))
            {
                Assert.True(await TriedAsync(green, run) > own, $"{shape}: writes no row of Red's across tenants either");
            }
        }
    }

    [Theory]
    [ClassData(typeof(AllClinics))]
    public async Task No_answer_tells_whether_another_tenant_has_rows(ClinicTables tables)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        var beside = await AnswersAsync(clinic);
        await using (var green = clinic.For("Green"))
        using (green.Tenancy().AcrossTenants("what others have"))
        {
            foreach (var (name, ask) in Questions.Where(q => q.Key != "find"))
            {
                var across = Text(await ask(green));
                green.ChangeTracker.Clear();
                Assert.True(beside[name] != across, $"{name} does not depend on rows of Red: {across}");
            }
        }

        await using (var red = clinic.For("Red"))
        {
            await red.Visits.ExecuteDeleteAsync();
            await red.Employees.ExecuteDeleteAsync();
            red.RemoveRange([.. await red.Patients.ToListAsync(), .. await red.Beds.ToListAsync(), .. await red.Wards.ToListAsync(), .. await red.Devices.ToListAsync()]);
            await red.SaveChangesAsync();
        }

        Assert.Empty(await clinic.Database.RowsOfAsync("Red"));

        Assert.Equal(beside, await AnswersAsync(clinic));
    }

    [Theory]
    [ClassData(typeof(AllClinics))]
    public async Task Collections_and_upserts_stay_in_their_tenant(ClinicTables tables)
    {
        await using var clinic = await clinics.OpenAsync(tables);

        // The collection of a stub of Red's row is empty, and clearing or replacing it takes nothing of Red.
        await using (var green = clinic.For("Green"))
        {
            var stub = green.Attach(new Patient { Id = 2, Name = "" });
            await stub.Collection(p => p.Visits).LoadAsync();
            Assert.Equal(0, await stub.Collection(p => p.Contacts).Query().AsNoTracking().CountAsync());
            Assert.Empty(stub.Entity.Visits);
            stub.Entity.Visits.Add(new Visit { Id = 2, Reason = "stolen" });
            var refused = await Record.ExceptionAsync(() => green.SaveChangesAsync());
            Assert.IsType(tables == ClinicTables.IdOnly ? typeof(DbUpdateException) : typeof(DbUpdateConcurrencyException), refused);
        }

        await using (var green = clinic.For("Green"))
        {
            green.Update(new Patient { Id = 1, Name = "Green", Contacts = { new Contact { Id = 2, Phone = "stolen" } } });
            await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => green.SaveChangesAsync());
        }

        // Insert or update by whether a row is there. Without the tenant in the keys the id that Red has is taken.
        var another = tables == ClinicTables.IdOnly ? 3 : 2;
        await using (var green = clinic.For("Green"))
        {
            foreach (var id in (int[])[1, another])
            {
                var ward = await green.Wards.SingleOrDefaultAsync(w => w.Id == id);
                if (ward is null)
                {
                    green.Add(new Ward { Id = id, Name = "upserted" });
                }
                else
                {
                    ward.Name = "upserted";
                }
            }

            await green.SaveChangesAsync();
        }

        Assert.Equal(
            ["Green 1 upserted", $"Green {another} upserted", "Red 2 Red"],
            await clinic.Database.ColumnAsync("""SELECT concat_ws(' ', "TenantId", "Id", "Name") FROM "Wards" ORDER BY 1"""));

        // By the database's own upsert, and by a delete that returns rows: EF composes no filter over them, and sends nothing.
        await using (var green = clinic.For("Green"))
        {
            foreach (var sql in (FormattableString[])[
                         $"""INSERT INTO "Wards" ("TenantId", "Id", "Name", "Version") VALUES ('Red', 2, 'stolen', 1) ON CONFLICT ("TenantId", "Id") DO UPDATE SET "Name" = 'stolen' RETURNING *""",
                         $"""UPDATE "Wards" SET "Name" = 'stolen' WHERE "Id" = 2 RETURNING *""",
                         $"""DELETE FROM "Wards" WHERE "Id" = 2 RETURNING *"""])
            {
                await Assert.ThrowsAsync<InvalidOperationException>(() => green.Wards.FromSql(sql).ToListAsync());
            }
        }

        await clinic.AssertRedIsUntouchedAsync();
    }

    // Without the tenant in the keys an id exists once, which docs/guide.md says.
    [Theory]
    [InlineData(ClinicTables.Plain)]
    [InlineData(ClinicTables.Hashed)]
    [InlineData(ClinicTables.IdThenTenant)]
    public async Task Keys_unique_values_and_references_cannot_be_probed(ClinicTables tables)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        await using (var green = clinic.For("Green"))
        {
            // Red has the id 2 and the number 2: a duplicate would tell.
            Assert.Null(await green.Patients.FirstOrDefaultAsync(p => p.Number == "2"));
            green.Add(new Patient { Id = 2, Name = "own", Number = "2" });
            await green.SaveChangesAsync();
        }

        // A reference to a row that Red has fails as one to a row that nobody has.
        var refusals = new List<string>();
        foreach (var id in (int[])[47, 61])
        {
            if (id == 47)
            {
                await clinic.Database.ExecuteAsync("""INSERT INTO "Patients" ("TenantId", "Id", "Name") VALUES ('Red', 47, 'Red')""");
            }

            await using var green = clinic.For("Green");
            green.Add(new Visit { Id = 50, Reason = "probe", PatientId = id });
            var refused = Assert.IsType<PostgresException>((await Assert.ThrowsAsync<DbUpdateException>(() => green.SaveChangesAsync())).InnerException);
            refusals.Add($"{refused.SqlState} {refused.MessageText} {refused.Detail}".Replace($"{id}", "?", StringComparison.Ordinal));
        }

        Assert.Equal(refusals[0], refusals[1]);
    }

    [Fact]
    public async Task A_prepared_statement_of_one_tenant_serves_the_next()
    {
        await using var clinic = await clinics.OpenAsync(ClinicTables.Hashed);

        // One connection that prepares each statement at its second use, and PostgreSQL's generic plan after five.
        var connectionString = new NpgsqlConnectionStringBuilder(clinic.Database.ConnectionString)
        {
            MaxPoolSize = 1, MaxAutoPrepare = 20, AutoPrepareMinUsages = 2,
        }.ConnectionString;
        for (var i = 0; i < 24; i++)
        {
            var tenant = i % 8 < 6 ? "Green" : "Red";
            await using var context = clinics.CreateContext(ClinicTables.Hashed, connectionString);
            context.Tenancy().Use(tenant);
            Assert.Equal(tenant, (await context.Patients.SingleAsync(p => p.Id > 0)).Name);
            Assert.Equal(1, await context.Visits.CountAsync());
            Assert.Equal(1, await context.Beds.ExecuteUpdateAsync(s => s.SetProperty(b => b.Name, b => b.Name)));
        }

        Assert.NotEqual(0, await PreparedAsync(connectionString));
        NpgsqlConnection.ClearPool(new NpgsqlConnection(connectionString));
    }

    [Fact]
    public async Task A_thread_that_loses_the_tenant_sees_no_rows_of_tenants()
    {
        await using var clinic = await clinics.OpenAsync(ClinicTables.Plain);
        Ambient.Value = "Green";
        Assert.Equal("Green", await RunAsync(clinic, disabled: true));
        Assert.Equal("Green", await Task.Run(() => RunAsync(clinic, disabled: true)));

        foreach (var disabled in (bool[])[true, false])
        {
            var answers = new List<Task<string>>
            {
                WithoutFlow(() => RunAsync(clinic, disabled)),
                WithoutFlow(() => Task.Factory.StartNew(
                    () => RunAsync(clinic, disabled), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()),
            };
            Assert.All(
                await Task.WhenAll(answers), a => Assert.Equal(disabled ? nameof(DefaultTenantUsageDisabledException) : "", a));
        }

        async Task<string> RunAsync(Clinic opened, bool disabled)
        {
            await using var context = new ClinicContext(
                new DbContextOptionsBuilder<ClinicContext>().UseTestDatabase(opened.Database.ConnectionString).UseTenancy(
                    t =>
                    {
                        t.AllEntitiesAreMultiTenanted().UseTenantAccessor(_ => Ambient.Value);
                        if (disabled)
                        {
                            t.DisableDefaultTenant();
                        }
                    }).Options);
            try
            {
                return string.Join(',', await context.Patients.Select(p => p.Name).ToListAsync());
            }
            catch (DefaultTenantUsageDisabledException exception)
            {
                return exception.GetType().Name;
            }
        }

        static Task<string> WithoutFlow(Func<Task<string>> run)
        {
            using (ExecutionContext.SuppressFlow())
            {
                return Task.Run(run);
            }
        }
    }

    [Fact]
    public async Task A_tenant_does_not_survive_into_the_next_request()
    {
        await using var clinic = await clinics.OpenAsync(ClinicTables.Plain);
        var factory = new PooledDbContextFactory<ClinicContext>(
            new DbContextOptionsBuilder<ClinicContext>().UseTestDatabase(clinic.Database.ConnectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().DisableDefaultTenant()).Options,
            poolSize: 1);

        ClinicContext first;
        await using (first = await factory.CreateDbContextAsync("Red"))
        {
            Assert.Equal("Red", (await first.Patients.SingleAsync()).Name);
            (await first.Wards.SingleAsync()).Name = "never saved";
        }

        // The same context, and nobody said a tenant.
        await using (var second = factory.CreateDbContext())
        {
            Assert.Same(first, second);
            Assert.Empty(second.ChangeTracker.Entries());
            await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(() => second.Patients.ToListAsync());
            await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(async () => await second.Patients.FindAsync(2));
            Assert.Throws<DefaultTenantUsageDisabledException>(() => second.Add(new Ward { Name = "x" }));
        }

        await using (var third = await factory.CreateDbContextAsync("Green"))
        {
            Assert.Same(first, third);
            Assert.Equal("Green", (await third.Patients.SingleAsync()).Name);
            third.Update(new Ward { Id = 2, Name = "stolen", Version = 1 });
            await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => third.SaveChangesAsync());
        }

        await clinic.AssertRedIsUntouchedAsync();
    }

    [Fact]
    public async Task A_scope_across_tenants_opens_no_other_context()
    {
        await using var clinic = await clinics.OpenAsync(ClinicTables.Plain);
        await using var wide = clinic.For("Green");
        using var scope = wide.Tenancy().AcrossTenants("a report");
        Assert.Equal(2, await wide.Patients.CountAsync());

        // The same query, on another context of the same thread and on another thread.
        Assert.Equal(1, await CountAndStealAsync());
        Assert.Equal(1, await Task.Run(CountAndStealAsync));
        Assert.Equal(2, await wide.Patients.CountAsync());
        await clinic.AssertRedIsUntouchedAsync();

        async Task<int> CountAndStealAsync()
        {
            await using var green = clinic.For("Green");
            (await green.Wards.SingleAsync(w => w.TenantIsOneOf("Red"))).Name = "stolen";
            await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());
            return await green.Patients.CountAsync();
        }
    }

    [Fact]
    public async Task The_identity_map_does_not_answer_for_another_tenant()
    {
        await using var clinic = await clinics.OpenAsync(ClinicTables.Plain);
        await using var context = clinic.For("Red");
        await context.Patients.Include(p => p.Visits).AsSplitQuery().LoadAsync();
        Assert.Throws<InvalidOperationException>(() => context.Tenancy().Use("Green"));
        Assert.Equal("Red", context.Tenancy().TenantId);

        context.ChangeTracker.Clear();
        context.Tenancy().Use("Green");
        Assert.Null(await context.Patients.FindAsync(2));
        Assert.Null(context.Patients.Local.FindEntry(2));
        Assert.Empty(context.Patients.Local);

        // Tracked beside, with the id that is asked for.
        await context.Patients.Where(p => p.TenantIsOneOf("Red")).LoadAsync();
        Assert.Null(await context.Patients.FindAsync(2));
        Assert.Null(await context.Patients.SingleOrDefaultAsync(p => p.Id == 2));
        Assert.Equal("Green", (await context.Patients.FindAsync(1))!.Name);
        Assert.Equal("Red", context.Tenancy().ForTenant("Red").Find<Patient>(2)!.Name);
    }

    private static async Task<int> TriedAsync(ClinicContext context, Func<ClinicContext, Task<int>> run)
    {
        await using var transaction = await context.Database.BeginTransactionAsync();
        return await run(context);
    }

    private static async Task<Dictionary<string, string>> AnswersAsync(Clinic clinic)
    {
        var answers = new Dictionary<string, string>();
        foreach (var (name, ask) in Questions)
        {
            await using var green = clinic.For("Green");
            answers[name] = Text(await ask(green));
        }

        return answers;
    }

    private static string Text(object? answer)
        => Convert.ToString(answer, CultureInfo.InvariantCulture) ?? "";

    private static async Task<int> PreparedAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT count(*)::int FROM pg_prepared_statements WHERE generic_plans + custom_plans > 1", connection);
        return (int)(await command.ExecuteScalarAsync())!;
    }
}
