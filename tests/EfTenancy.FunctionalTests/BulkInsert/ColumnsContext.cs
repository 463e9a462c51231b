using EfTenancy.FunctionalTests.Mapping;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ValueGeneration;

namespace EfTenancy.FunctionalTests.BulkInsert;

/// <summary>Columns that get their values in all the ways there are.</summary>
public class ColumnsContext(DbContextOptions<ColumnsContext> options) : MappingContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Defaults>(
            defaults =>
            {
                defaults.Property(d => d.IsActive).HasDefaultValue(true);
                defaults.Property(d => d.Rank).HasDefaultValue(7);
                defaults.Property(d => d.Code).HasDefaultValueSql("upper('abc')");
                defaults.Property(d => d.Length).HasComputedColumnSql("length(\"Name\")", stored: true);
                defaults.Property<int>("Weight");
                defaults.Property<string?>("Remark");
                defaults.Property<int>("Size").HasDefaultValue(3);
            });

        modelBuilder.Entity<Generated>(
            generated =>
            {
                generated.Property(g => g.Slug).HasValueGenerator<SlugGenerator>();
                generated.Property<string>("Trace").HasValueGenerator<TenantOfEntryGenerator>().ValueGeneratedOnAdd();
            });

        modelBuilder.Entity<Shape>(
            shape =>
            {
                shape.ComplexProperty(s => s.Centre);
                shape.ComplexProperty(s => s.Corner, corner => corner.Property(c => c!.Mark).HasMaxLength(10));
                shape.ComplexProperty(s => s.Label, label => label.ToJson().Property(l => l!.Kind).HasConversion<string>());
                shape.Property(s => s.Colour).HasConversion<string>();
            });

        modelBuilder.Entity<Base>().HasDiscriminator(b => b.Kind).HasValue<Base>("base").HasValue<Left>("left").HasValue<Right>("right");
        modelBuilder.Entity<Left>().Property(l => l.Shared).HasColumnName("Shared");
        modelBuilder.Entity<Right>().Property(r => r.Shared).HasColumnName("Shared");
        modelBuilder.Entity<Right>().Property(r => r.Preset).HasDefaultValue("preset");
        modelBuilder.Entity<Left>().OwnsOne(l => l.Detail, detail => detail.ToJson());

        modelBuilder.Entity<Document>().ToTable("Documents").HasOne(d => d.Text).WithOne().HasForeignKey<DocumentText>(t => t.Id);
        modelBuilder.Entity<Document>().Property(d => d.Version).HasColumnName("Version").IsConcurrencyToken();
        modelBuilder.Entity<DocumentText>().ToTable("Documents").Property(d => d.Version).HasColumnName("Version").IsConcurrencyToken();

        modelBuilder.Entity<Global>().IsSingleTenanted();
        modelBuilder.Entity<GlobalWithParts>().IsSingleTenanted().OwnsMany(g => g.Parts);
        modelBuilder.Entity<Reference>().HasOne(r => r.Owner).WithMany().HasForeignKey("OwnerId");
        modelBuilder.Entity<Owner>();
        modelBuilder.Entity<Box>().OwnsMany(b => b.Items);
        modelBuilder.Entity<LogLine>().HasNoKey();
    }

    private sealed class SlugGenerator : ValueGenerator<string>
    {
        public override bool GeneratesTemporaryValues => false;

        public override string Next(EntityEntry entry)
            => "slug-" + ((Generated)entry.Entity).Name;
    }

    private sealed class TenantOfEntryGenerator : ValueGenerator<string>
    {
        public override bool GeneratesTemporaryValues => false;

        public override string Next(EntityEntry entry)
            => "trace-" + entry.Property("TenantId").CurrentValue;
    }
}

public class Defaults
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public bool IsActive { get; set; } = true;

    public int Rank { get; set; }

    public string? Code { get; set; }

    public int Length { get; private set; }
}

public class Generated
{
    public Guid Id { get; set; }

    public required string Name { get; set; }

    public string? Slug { get; set; }
}

public enum Colour
{
    Blue,
    Yellow,
}

public readonly record struct Point(int X, int Y);

public class Corner
{
    public required string Mark { get; set; }

    public int? Depth { get; set; }
}

public class Label
{
    public required string Text { get; set; }

    public Colour Kind { get; set; }

    public List<int> Numbers { get; set; } = [];
}

public class Shape
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public Colour? Colour { get; set; }

    public Point Centre { get; set; }

    public Corner? Corner { get; set; }

    public Label? Label { get; set; }
}

public class Base
{
    public int Id { get; set; }

    public string Kind { get; set; } = null!;
}

public class Left : Base
{
    public string? Shared { get; set; }

    public Home? Detail { get; set; }
}

public class Right : Base
{
    public string? Shared { get; set; }

    public string? Preset { get; set; }
}

public class Document
{
    public int Id { get; set; }

    public int Version { get; set; }

    public DocumentText? Text { get; set; }
}

public class DocumentText
{
    public int Id { get; set; }

    public int Version { get; set; }

    public required string Body { get; set; }
}

public class Global
{
    public int Id { get; set; }
}

public class GlobalWithParts
{
    public int Id { get; set; }

    public List<GlobalPart> Parts { get; } = [];
}

public class GlobalPart
{
    public required string Name { get; set; }
}

public class Owner
{
    public int Id { get; set; }

    public string? TenantId { get; set; }
}

public class Reference
{
    public int Id { get; set; }

    public Owner? Owner { get; set; }
}

public class Box
{
    public int Id { get; set; }

    public List<Item> Items { get; } = [];
}

public class Item
{
    public int Id { get; set; }

    public string? TenantId { get; set; }
}

public class LogLine
{
    public required string Text { get; set; }
}
