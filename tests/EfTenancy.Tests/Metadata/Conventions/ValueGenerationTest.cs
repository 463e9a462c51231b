using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Xunit;

namespace EfTenancy.Tests.Metadata.Conventions;

/// <summary>What is generated without tenancy is generated with it, whatever keys and foreign keys have become.</summary>
public class ValueGenerationTest
{
    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdThenTenant)]
    public void Values_are_generated_as_in_plain_ef(TenantKeyStyle style)
    {
        using var plain = new ModelContext(ModelContext.Options(), Build);
        using var tenancy = ModelContext.Create(Build, t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style));

        var expected = Generation(plain.DesignTimeModel);
        Assert.Equal(expected, Generation(tenancy.DesignTimeModel));
        Assert.Contains("Car.Id OnAdd", expected);
        Assert.Contains("Licence.Id Never", expected);
        Assert.Contains("Repair.CarId OnAdd", expected);
        Assert.Contains("Repair.Total OnAddOrUpdate", expected);
    }

    private static List<string> Generation(IModel model)
        => [.. model.GetEntityTypes()
            .SelectMany(e => e.GetDeclaredProperties().Where(p => p.Name != TenancyDefaults.TenantPropertyName)
                .Select(p => $"{e.ShortName()}.{p.Name} {p.ValueGenerated}"))
            .Order()];

    private static void Build(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Car>(
            car =>
            {
                car.HasAlternateKey(c => c.Plate);
                car.OwnsOne(c => c.Papers);
                car.OwnsMany(c => c.Wheels);
            });
        modelBuilder.Entity<Licence>().HasOne<Car>().WithOne().HasForeignKey<Licence>(l => l.Id);
        modelBuilder.Entity<Repair>(
            repair =>
            {
                repair.HasKey(r => new { r.CarId, r.Number });
                repair.Property(r => r.CarId).HasDefaultValueSql("1");
                repair.Property(r => r.Number).HasDefaultValueSql("2");
                repair.Property(r => r.Total).HasComputedColumnSql("\"Number\" * 2", stored: true);
                repair.HasOne<Car>().WithMany().HasForeignKey(r => r.CarId);
                repair.HasOne<Car>().WithMany().HasForeignKey(r => r.PlateOfOther).HasPrincipalKey(c => c.Plate);
            });
        modelBuilder.Entity<Tow>().UseTphMappingStrategy();
        modelBuilder.Entity<LongTow>().HasOne<Car>().WithMany().HasForeignKey(t => t.CarId);
        modelBuilder.Entity<Shape>().UseTpcMappingStrategy();
        modelBuilder.Entity<Circle>();
        modelBuilder.Entity<Sign>().UseTptMappingStrategy();
        modelBuilder.Entity<StopSign>();
        modelBuilder.Entity<Part>(
            part =>
            {
                part.Property(p => p.Id).HasDefaultValueSql("gen_random_uuid()");
                part.HasOne<Part>().WithMany().HasForeignKey(p => p.WholeId);
                part.HasMany<Car>().WithMany();
            });
    }

    private sealed class Car
    {
        public int Id { get; set; }

        public Guid Plate { get; set; }

        public Papers? Papers { get; set; }

        public List<Wheel> Wheels { get; } = [];
    }

    private sealed class Papers
    {
        public string Number { get; set; } = "";
    }

    private sealed class Wheel
    {
        public int Size { get; set; }
    }

    private sealed class Licence
    {
        public int Id { get; set; }
    }

    private sealed class Repair
    {
        public int CarId { get; set; }

        public int Number { get; set; }

        public int Total { get; set; }

        public Guid? PlateOfOther { get; set; }
    }

    private class Tow
    {
        public long Id { get; set; }
    }

    private sealed class LongTow : Tow
    {
        public int CarId { get; set; }
    }

    private class Shape
    {
        public int Id { get; set; }
    }

    private sealed class Circle : Shape;

    private class Sign
    {
        public int Id { get; set; }
    }

    private sealed class StopSign : Sign;

    private sealed class Part
    {
        public Guid Id { get; set; }

        public Guid? WholeId { get; set; }
    }
}
