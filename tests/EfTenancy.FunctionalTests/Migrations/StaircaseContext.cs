using System.Diagnostics.CodeAnalysis;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Several migrations, none of which can be applied twice, one of them partly outside of a transaction.</summary>
public class StaircaseContext(
    Action<NpgsqlDbContextOptionsBuilder, DbContextOptionsBuilder> configure,
    string? connectionString) : DbContext
{
    public StaircaseContext(string connectionString)
        : this((_, _) => { }, connectionString)
    {
    }

    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
    {
        optionsBuilder
            .UseNpgsql(connectionString, n => configure(n, optionsBuilder))
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted())
            // There is no snapshot.
            .ConfigureWarnings(
                w => w.Ignore(
                    CoreEventId.ManyServiceProvidersCreatedWarning, RelationalEventId.PendingModelChangesWarning,
                    RelationalEventId.MigrationsUserTransactionWarning));
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Step>();

    private sealed class Step
    {
        public int Id { get; set; }
    }
}

[DbContext(typeof(StaircaseContext))]
[Migration("20260101000000_First")]
public class StaircaseFirst : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
        => migrationBuilder.Sql("""CREATE TABLE "Step" ("TenantId" text, "Id" int, PRIMARY KEY ("TenantId", "Id"))""");

    protected override void Down(MigrationBuilder migrationBuilder)
        => migrationBuilder.Sql("""DROP TABLE "Step" """);
}

[DbContext(typeof(StaircaseContext))]
[Migration("20260102000000_Second")]
public class StaircaseSecond : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
        => migrationBuilder.Sql("""ALTER TABLE "Step" ADD "Second" int; INSERT INTO "Step" VALUES ('a', 1, 2); SELECT pg_sleep(0.02)""");

    protected override void Down(MigrationBuilder migrationBuilder)
        => migrationBuilder.Sql("""ALTER TABLE "Step" DROP "Second"; DELETE FROM "Step" """);
}

[DbContext(typeof(StaircaseContext))]
[Migration("20260103000000_Third")]
public class StaircaseThird : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("""ALTER TABLE "Step" ADD "Third" int""");
        migrationBuilder.Sql("""CREATE INDEX CONCURRENTLY "Step_Third" ON "Step" ("Third")""", suppressTransaction: true);
        migrationBuilder.Sql("""INSERT INTO "Step" VALUES ('a', 2, 3)""");
    }

    protected override void Down(MigrationBuilder migrationBuilder)
        => migrationBuilder.Sql("""ALTER TABLE "Step" DROP "Third"; DELETE FROM "Step" WHERE "Id" = 2""");
}

[DbContext(typeof(StaircaseContext))]
[Migration("20260104000000_Fourth")]
public class StaircaseFourth : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
        => migrationBuilder.Sql("""ALTER TABLE "Step" ADD "Fourth" int; INSERT INTO "Step" VALUES ('a', 3, 4)""");

    protected override void Down(MigrationBuilder migrationBuilder)
        => migrationBuilder.Sql("""ALTER TABLE "Step" DROP "Fourth"; DELETE FROM "Step" WHERE "Id" = 3""");
}
