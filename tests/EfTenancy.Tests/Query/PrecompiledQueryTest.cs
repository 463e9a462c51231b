using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.Internal;
using Xunit;

namespace EfTenancy.Tests.Query;

public class PrecompiledQueryTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_SQL_is_generated_for_a_tenant_that_is_null(bool withTenancy)
    {
        using var db = Context(withTenancy);

        var code = Precompile(db, db.Notes.Where(n => n.Title == "x"));

        Assert.Contains("WHERE ", code, StringComparison.Ordinal);
        Assert.Equal(withTenancy, code.Contains("@ef_filter__Tenancy", StringComparison.Ordinal));
        Assert.DoesNotContain("== null", code, StringComparison.Ordinal);
    }

    // The member that a filter of the application's asks is called as the one that ours asks.
    [Fact]
    public void SQL_for_null_is_generated_for_what_a_users_filter_compares()
    {
        using var db = Context(withTenancy: true);

        Assert.Contains("Writer\" IS NULL", Precompile(db, db.Replies), StringComparison.Ordinal);
    }

#pragma warning disable EF1001, EF9100 // What the tools of precompiled queries call.
    private static string Precompile<T>(DbContext db, IQueryable<T> query)
        => ExpressionPrinter.Print(db.GetService<IQueryCompiler>().PrecompileQuery<IEnumerable<T>>(query.Expression, async: false));
#pragma warning restore EF1001, EF9100

    private static NoteContext Context(bool withTenancy)
    {
        var options = new DbContextOptionsBuilder<NoteContext>();
        options.UseUnusedDatabase();
        if (withTenancy)
        {
            options.UseTenancy(t => t.AllEntitiesAreMultiTenanted());
        }

        return new NoteContext(options.Options);
    }

    private sealed class NoteContext(DbContextOptions<NoteContext> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        public DbSet<Reply> Replies => Set<Reply>();

        public string? Tenancy { get; set; }

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Reply>().HasQueryFilter("Writer", r => r.Writer == Tenancy);
    }

    public class Note
    {
        public int Id { get; set; }

        public string Title { get; set; } = "";
    }

    public class Reply
    {
        public int Id { get; set; }

        public string? Writer { get; set; }
    }
}
