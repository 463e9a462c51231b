using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Mapping;

public class SplittingContext(DbContextOptions<SplittingContext> options) : MappingContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Letter>().ToTable("Letters").HasOne(l => l.Body).WithOne().HasForeignKey<LetterBody>(b => b.Id);
        modelBuilder.Entity<Letter>().Navigation(l => l.Body).IsRequired();
        modelBuilder.Entity<LetterBody>().ToTable("Letters");

        modelBuilder.Entity<Film>().ToTable("Films")
            .SplitToTable("FilmPlots", plot => plot.Property(f => f.Plot))
            .SplitToTable("FilmPosters", "art", poster => poster.Property(f => f.Poster));

        modelBuilder.Entity<Actor>().HasOne(a => a.Contract).WithOne(c => c.Actor).HasForeignKey<Contract>(c => c.Id);
        modelBuilder.Entity<Actor>().HasOne(a => a.Agent).WithOne(a => a.Actor).HasForeignKey<Agent>(a => a.ActorId)
            .OnDelete(DeleteBehavior.SetNull);
    }
}

public class Letter
{
    public int Id { get; set; }

    public required string Subject { get; set; }

    public LetterBody? Body { get; set; }
}

public class LetterBody
{
    public int Id { get; set; }

    public required string Text { get; set; }
}

public class Film
{
    public int Id { get; set; }

    public required string Title { get; set; }

    public required string Plot { get; set; }

    public required string Poster { get; set; }
}

public class Actor
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public Contract? Contract { get; set; }

    public Agent? Agent { get; set; }
}

public class Contract
{
    public int Id { get; set; }

    public required string Terms { get; set; }

    public Actor? Actor { get; set; }
}

public class Agent
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public int? ActorId { get; set; }

    public Actor? Actor { get; set; }
}
