using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.TestModels;

/// <summary>A context as its authors wrote it, without a thought of tenants. Nothing in this file may name EfTenancy's types.</summary>
public class LibraryContext(DbContextOptions<LibraryContext> options) : DbContext(options)
{
    public DbSet<Author> Authors => Set<Author>();

    public DbSet<Book> Books => Set<Book>();

    public DbSet<Genre> Genres => Set<Genre>();

    public DbSet<Member> Members => Set<Member>();

    public DbSet<Loan> Loans => Set<Loan>();

    public DbSet<Shelf> Shelves => Set<Shelf>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Shelf>().HasKey(s => new { s.Room, s.Number });
        modelBuilder.Entity<Author>().OwnsOne(a => a.Address);
        modelBuilder.Entity<Author>().OwnsMany(a => a.Prizes);
        modelBuilder.Entity<Author>().HasIndex(a => a.Name).IsUnique();
        modelBuilder.Entity<AudioBook>();
        modelBuilder.Entity<Book>().Property(b => b.AddedAt).HasDefaultValueSql("now()");
        modelBuilder.Entity<Book>().HasQueryFilter(b => !b.IsWithdrawn);
        modelBuilder.Entity<Book>().HasOne(b => b.Shelf).WithMany(s => s.Books).OnDelete(DeleteBehavior.SetNull);
        modelBuilder.Entity<Loan>().HasKey(l => new { l.BookId, l.MemberId });
    }
}

public class Author
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public Address? Address { get; set; }

    public List<Prize> Prizes { get; } = [];

    public List<Book> Books { get; } = [];
}

public class Address
{
    public required string City { get; set; }

    public string? Street { get; set; }
}

public class Prize
{
    public required string Title { get; set; }

    public int Year { get; set; }
}

public class Book
{
    public int Id { get; set; }

    public required string Title { get; set; }

    public DateTime AddedAt { get; set; }

    public bool IsWithdrawn { get; set; }

    public int AuthorId { get; set; }

    public Author Author { get; set; } = null!;

    public int? ShelfRoom { get; set; }

    public int? ShelfNumber { get; set; }

    public Shelf? Shelf { get; set; }

    public List<Genre> Genres { get; } = [];
}

public class AudioBook : Book
{
    public int Minutes { get; set; }
}

public class Genre
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Book> Books { get; } = [];
}

public class Shelf
{
    public int Room { get; set; }

    public int Number { get; set; }

    public string? Label { get; set; }

    public List<Book> Books { get; } = [];
}

public class Member
{
    public Guid Id { get; set; }

    public required string Name { get; set; }

    public List<Loan> Loans { get; } = [];
}

public class Loan
{
    public int BookId { get; set; }

    public Guid MemberId { get; set; }

    public DateTime Since { get; set; }

    public Book Book { get; set; } = null!;

    public Member Member { get; set; } = null!;
}
