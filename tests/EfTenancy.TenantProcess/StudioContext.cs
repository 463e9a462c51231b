using EfTenancy.Administration;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.TenantProcess;

/// <summary>
///     Six related tables of tenants, two of them referencing each other and one itself, with ids from identity columns and from a sequence,
///     and columns of many types; and a global table that one of them references.
/// </summary>
public class StudioContext(DbContextOptions<StudioContext> options) : DbContext(options)
{
    public DbSet<Team> Teams => Set<Team>();

    public DbSet<Member> Members => Set<Member>();

    public DbSet<Project> Projects => Set<Project>();

    public DbSet<WorkItem> WorkItems => Set<WorkItem>();

    public DbSet<Comment> Comments => Set<Comment>();

    public DbSet<TimeEntry> TimeEntries => Set<TimeEntry>();

    /// <summary>The services of an application whose tenants share the home database unless they have another place.</summary>
    public static ServiceProvider Services(
        string home,
        Action<MasterDatabaseTableBuilder>? table = null,
        bool isManaged = false,
        Action<TenantAdministrationOptions>? administration = null)
        => new ServiceCollection()
            .AddTenantDatabases(
                x => x.MultiTenantedDatabasesWithMasterDatabaseTable(
                    home,
                    t =>
                    {
                        t.OthersShareTheHomeDatabase();
                        table?.Invoke(t);
                    }))
            .AddDbContextFactory<StudioContext>(
                (services, options) => options
                    .UseNpgsql("Host=nowhere.invalid")
                    .ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                    .UseTenancy(
                        t =>
                        {
                            t.AllEntitiesAreMultiTenanted().UseTenantDatabases(services.GetRequiredService<TenantDatabases>());
                            if (isManaged)
                            {
                                t.PartitionMultiTenantedEntitiesManaged("partitions");
                            }
                        }))
            .AddTenantAdministration<StudioContext>(administration)
            .BuildServiceProvider();

    /// <summary>About as many rows as asked for, in all tables together, straight into a schema.</summary>
    public static string RowsSql(string schema, string tenant, int rows)
        => $"""
            SET search_path = "{schema}";
            INSERT INTO "Teams" ("TenantId", "Id", "Name", "Tags") OVERRIDING SYSTEM VALUE
                SELECT '{tenant}', i, 'Team ' || i, ARRAY['a', NULL, 'Ümläut ' || i] FROM generate_series(1, {rows / 100}) i;
            INSERT INTO "Members" ("TenantId", "Id", "TeamId", "CountryCode", "Email", "Photo") OVERRIDING SYSTEM VALUE
                SELECT '{tenant}', i, 1 + i % {rows / 100}, CASE i % 3 WHEN 0 THEN NULL ELSE 'NO' END, 'm' || i || '@example.org', sha256(i::text::bytea)
                FROM generate_series(1, {rows / 20}) i;
            UPDATE "Teams" SET "LeadId" = "Id" WHERE "TenantId" = '{tenant}';
            INSERT INTO "Projects" ("TenantId", "Id", "TeamId", "Key", "Settings")
                SELECT '{tenant}', i, 1 + i % {rows / 100}, md5(i::text)::uuid, jsonb_build_object('i', i) FROM generate_series(1, {rows / 20}) i;
            SELECT setval('"EntityFrameworkHiLoSequence"', GREATEST({rows / 20}, (SELECT last_value FROM "EntityFrameworkHiLoSequence")));
            INSERT INTO "WorkItems" ("TenantId", "Id", "ProjectId", "ParentId", "Title", "Estimate") OVERRIDING SYSTEM VALUE
                SELECT '{tenant}', i, 1 + i % {rows / 20}, CASE WHEN i % 5 = 0 AND i < {rows * 3 / 10} THEN i + 1 END, E'Tab\t, line\n, \\N and "quotes" ' || i, i / 7.0
                FROM generate_series(1, {rows * 3 / 10}) i;
            INSERT INTO "Comments" ("TenantId", "Id", "WorkItemId", "AuthorId", "Text", "At") OVERRIDING SYSTEM VALUE
                SELECT '{tenant}', i, 1 + i % {rows * 3 / 10}, 1 + i % {rows / 20}, repeat('text ', i % 20), timestamptz '2026-01-01' + i * interval '1 second'
                FROM generate_series(1, {rows * 3 / 10}) i;
            INSERT INTO "TimeEntries" ("TenantId", "Id", "WorkItemId", "MemberId", "Hours", "Took", "Ratio") OVERRIDING SYSTEM VALUE
                SELECT '{tenant}', i, 1 + i % {rows * 3 / 10}, 1 + i % {rows / 20}, i / 3.0, i * interval '1 minute', 1 / i::float8
                FROM generate_series(1, {rows * 29 / 100}) i;
            SELECT setval(pg_get_serial_sequence(format('%I', t), 'Id'), {rows}) FROM unnest(ARRAY['Teams', 'Members', 'WorkItems', 'Comments', 'TimeEntries']) t;
            """;

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Country>().IsSingleTenanted().HasData(new Country { Code = "NO" });
        modelBuilder.Entity<Team>().HasMany(t => t.Members).WithOne(m => m.Team).HasForeignKey(m => m.TeamId);
        modelBuilder.Entity<Team>().HasOne(t => t.Lead).WithMany().HasForeignKey(t => t.LeadId).OnDelete(DeleteBehavior.Restrict);
        modelBuilder.Entity<Project>().Property(p => p.Id).UseHiLo();
        modelBuilder.Entity<Project>().Property(p => p.Settings).HasColumnType("jsonb");
        modelBuilder.Entity<WorkItem>().HasOne<WorkItem>().WithMany().HasForeignKey(w => w.ParentId).OnDelete(DeleteBehavior.Restrict);
        modelBuilder.Entity<WorkItem>().Property(w => w.Length).HasComputedColumnSql("""length("Title")""", stored: true);
    }
}

public class Country
{
    [System.ComponentModel.DataAnnotations.Key]
    public required string Code { get; set; }
}

public class Team
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<string?> Tags { get; set; } = [];

    public int? LeadId { get; set; }

    public Member? Lead { get; set; }

    public List<Member> Members { get; } = [];
}

public class Member
{
    public int Id { get; set; }

    public int TeamId { get; set; }

    public Team? Team { get; set; }

    public string? CountryCode { get; set; }

    public Country? Country { get; set; }

    public required string Email { get; set; }

    public byte[]? Photo { get; set; }
}

public class Project
{
    public long Id { get; set; }

    public int TeamId { get; set; }

    public Team? Team { get; set; }

    public Guid Key { get; set; }

    public string? Settings { get; set; }
}

public class WorkItem
{
    public int Id { get; set; }

    public long ProjectId { get; set; }

    public Project? Project { get; set; }

    public int? ParentId { get; set; }

    public required string Title { get; set; }

    public int Length { get; set; }

    public decimal? Estimate { get; set; }
}

public class Comment
{
    public int Id { get; set; }

    public int WorkItemId { get; set; }

    public WorkItem? WorkItem { get; set; }

    public int AuthorId { get; set; }

    public Member? Author { get; set; }

    public required string Text { get; set; }

    public DateTime At { get; set; }
}

public class TimeEntry
{
    public int Id { get; set; }

    public int WorkItemId { get; set; }

    public WorkItem? WorkItem { get; set; }

    public int MemberId { get; set; }

    public Member? Member { get; set; }

    public decimal Hours { get; set; }

    public TimeSpan Took { get; set; }

    public double Ratio { get; set; }
}
