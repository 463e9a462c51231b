using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Mapping;

public class RelationshipsContext(DbContextOptions<RelationshipsContext> options) : MappingContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Folder>().HasMany(f => f.Children).WithOne(f => f.Parent).HasForeignKey(f => f.ParentId);

        modelBuilder.Entity<Author>().HasMany(a => a.Books).WithMany(b => b.Authors);
        modelBuilder.Entity<Student>().HasMany(s => s.Courses).WithMany(c => c.Students).UsingEntity<Enrolment>();
        modelBuilder.Entity<Recipe>().HasMany(r => r.Flavours).WithMany();

        modelBuilder.Entity<Country>().HasMany(c => c.Towns).WithOne(t => t.Country).HasForeignKey(t => t.CountryCode).HasPrincipalKey(c => c.Code)
            .OnDelete(DeleteBehavior.SetNull);
        modelBuilder.Entity<Seat>().HasKey(s => new { s.Row, s.Number });
        modelBuilder.Entity<Seat>().HasMany(s => s.Bookings).WithOne(b => b.Seat).HasForeignKey(b => new { b.Row, b.Number });

        modelBuilder.Entity<Project>().Property(p => p.Name).HasField("_name");
        modelBuilder.Entity<Project>().HasMany(p => p.Tasks).WithOne().IsRequired();
        modelBuilder.Entity<Project>().Navigation(p => p.Tasks).UsePropertyAccessMode(PropertyAccessMode.Field);
        modelBuilder.Entity<Project>().HasMany(p => p.Ideas).WithOne().OnDelete(DeleteBehavior.SetNull);
    }
}

public class Folder
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public int? ParentId { get; set; }

    public Folder? Parent { get; set; }

    public List<Folder> Children { get; } = [];
}

public class Author
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Book> Books { get; } = [];
}

public class Book
{
    public int Id { get; set; }

    public required string Title { get; set; }

    public List<Author> Authors { get; } = [];
}

public class Student
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Course> Courses { get; } = [];

    public List<Enrolment> Enrolments { get; } = [];
}

public class Course
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Student> Students { get; } = [];
}

public class Enrolment
{
    public int StudentId { get; set; }

    public int CourseId { get; set; }

    public required string Grade { get; set; }

    public Course? Course { get; set; }
}

public class Recipe
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Flavour> Flavours { get; } = [];
}

public class Flavour
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Country
{
    public int Id { get; set; }

    public required string Code { get; set; }

    public required string Name { get; set; }

    public List<Town> Towns { get; } = [];
}

public class Town
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public string? CountryCode { get; set; }

    public Country? Country { get; set; }
}

public class Seat
{
    public int Row { get; set; }

    public int Number { get; set; }

    public required string Colour { get; set; }

    public List<Booking> Bookings { get; } = [];
}

public class Booking
{
    public int Id { get; set; }

    public required string Guest { get; set; }

    public int Row { get; set; }

    public int Number { get; set; }

    public Seat? Seat { get; set; }
}

public class Project
{
    private readonly List<ProjectTask> _tasks = [];
    private string _name = "";

    public int Id { get; private set; }

    public string Name => _name;

    public IReadOnlyList<ProjectTask> Tasks => _tasks;

    public List<Idea> Ideas { get; } = [];

    public static Project Create(int id, string name)
        => new() { Id = id, _name = name };

    public void Rename(string name)
        => _name = name;

    public Project WithTask(ProjectTask task)
    {
        _tasks.Add(task);
        return this;
    }
}

public class ProjectTask
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Idea
{
    public int Id { get; set; }

    public required string Text { get; set; }
}
