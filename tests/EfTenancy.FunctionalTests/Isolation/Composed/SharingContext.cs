using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>The same model, with shared rows of most entities.</summary>
public class SharingContext(DbContextOptions options) : BazaarContext(options)
{
    /// <summary>Whether rows of the default tenant are shared, by the name of the entity or of the table.</summary>
    public static bool IsShared(string name)
        => name is not (nameof(OrderLine) or nameof(Note));

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        foreach (var type in (Type[])[typeof(Party), typeof(Passport), typeof(Vehicle), typeof(Order), typeof(Product), typeof(Shelf), typeof(Review), typeof(GoodReview)])
        {
            modelBuilder.Entity(type).IsMultiTenanted(t => t.WithSharedRows());
        }

        modelBuilder.SharedTypeEntity<Dictionary<string, object>>(Settings).IsMultiTenanted(t => t.WithSharedRows());
    }
}
