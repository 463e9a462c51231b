using System.Globalization;
using EfTenancy.Infrastructure;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.TenantProcess;

/// <summary>Ten related tables without a word about tenants, and two migrations: for many schemas.</summary>
public class DepotContext(DbContextOptions<DepotContext> options) : DbContext(options)
{
    public const int Tables = 10;

    public static ServiceProvider Services(
        Action<TenantDatabasesBuilder> databases,
        Action<TenancyDbContextOptionsBuilder>? tenancy = null)
        => new ServiceCollection()
            .AddTenantDatabases(databases)
            .AddPooledDbContextFactory<DepotContext>(
                (services, options) => options.UseNpgsql()
                    .ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                    .UseTenancy(
                        t =>
                        {
                            t.UseTenantDatabases(services.GetRequiredService<TenantDatabases>());
                            tenancy?.Invoke(t);
                        }))
            .AddTenantAdministration<DepotContext>()
            .BuildServiceProvider();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.SharedTypeEntity<Dictionary<string, object>>(
            "Units",
            u =>
            {
                u.ToTable("Units", "shared");
                u.IndexerProperty<string>("Code");
                u.HasKey("Code");
            });

        for (var i = 0; i < Tables; i++)
        {
            var number = i;
            modelBuilder.SharedTypeEntity<Dictionary<string, object>>(
                Name(number),
                t =>
                {
                    t.ToTable(Name(number));
                    t.IndexerProperty<int>("Id");
                    t.IndexerProperty<string>("Name");
                    t.IndexerProperty<string?>("Note");
                    t.IndexerProperty<int?>("ParentId");
                    t.IndexerProperty<string?>("UnitCode");
                    t.HasOne("Units", null).WithMany().HasForeignKey("UnitCode");
                    if (number > 0)
                    {
                        t.HasOne(Name(number - 1), null).WithMany().HasForeignKey("ParentId");
                    }
                });
        }
    }

    internal static string Name(int number)
        => "Table" + number.ToString(CultureInfo.InvariantCulture);
}

[DbContext(typeof(DepotContext))]
[Migration("20260101000000_First")]
public class FirstDepotMigration : Microsoft.EntityFrameworkCore.Migrations.Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.EnsureSchema("shared");
        migrationBuilder.CreateTable(
            "Units", t => new { Code = t.Column<string>("text") }, "shared", t => t.PrimaryKey("PK_Units", u => u.Code));
        migrationBuilder.InsertData("Units", "Code", "text", "m", "shared");

        for (var i = 0; i < DepotContext.Tables; i++)
        {
            var number = i;
            migrationBuilder.CreateTable(
                DepotContext.Name(number),
                t => new
                {
                    Id = t.Column<int>("integer").Annotation(
                        "Npgsql:ValueGenerationStrategy",
                        Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Name = t.Column<string>("text"),
                    ParentId = t.Column<int>("integer", nullable: true),
                    UnitCode = t.Column<string>("text", nullable: true),
                },
                constraints: t =>
                {
                    t.PrimaryKey($"PK_{DepotContext.Name(number)}", x => x.Id);
                    t.ForeignKey($"FK_{DepotContext.Name(number)}_Units", x => x.UnitCode, "Units", "Code", "shared");
                    if (number > 0)
                    {
                        t.ForeignKey($"FK_{DepotContext.Name(number)}_Parent", x => x.ParentId, DepotContext.Name(number - 1), "Id");
                    }
                });
            migrationBuilder.CreateIndex($"IX_{DepotContext.Name(number)}_ParentId", DepotContext.Name(number), "ParentId");
        }
    }
}

[DbContext(typeof(DepotContext))]
[Migration("20260202000000_Notes")]
public class NotesDepotMigration : Microsoft.EntityFrameworkCore.Migrations.Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        for (var i = 0; i < DepotContext.Tables; i++)
        {
            migrationBuilder.AddColumn<string>("Note", DepotContext.Name(i), "text", nullable: true);
        }

        migrationBuilder.Sql("""UPDATE "Table0" SET "Note" = current_schema()""");
    }
}
