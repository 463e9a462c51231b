using System.Linq.Expressions;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.Internal;
using Xunit;

namespace EfTenancy.Tests.Query;

#pragma warning disable EF1001, EF9100 // What the tools of precompiled queries call.
public class PrecompiledQueryTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_SQL_is_generated_for_a_tenant_that_is_null(bool withTenancy)
    {
        using var db = Context(withTenancy);

        AssertHasNoSqlForNull(Precompile(db, db.Notes.Where(n => n.Title == "x")), withTenancy ? "@ef_filter__Tenancy" : "WHERE");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_SQL_is_generated_to_delete_rows_of_a_tenant_that_is_null(bool withTenancy)
    {
        using var db = Context(withTenancy);
        Expression<Func<int>> delete = () => db.Notes.Where(n => n.Title == "x").ExecuteDelete();

        AssertHasNoSqlForNull(Precompile<int>(db, delete.Body), withTenancy ? "@ef_filter__Tenancy" : "DELETE");
    }

    // The member that a filter of the application's asks is called as the one that ours asks.
    [Fact]
    public void SQL_for_null_is_generated_for_what_a_users_filter_compares()
    {
        using var db = Context(withTenancy: true);

        Assert.Contains("Writer\" IS NULL", Precompile(db, db.Replies), StringComparison.Ordinal);
    }

    // EF writes code that does not compile for comparers of two types.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Included_rows_are_told_apart_by_their_ids(bool withTenancy)
    {
        using var db = Context(withTenancy);
        var precompiled = db.GetService<IQueryCompiler>().PrecompileQuery<IEnumerable<Note>>(db.Notes.Include(n => n.Replies).Expression, async: false);
        var lifter = new LiftableConstantProcessor(null!);
        lifter.LiftConstants(precompiled, Expression.Parameter(typeof(RelationalMaterializerLiftableConstantContext), "context"), []);

        Assert.Equal(1, lifter.LiftedConstants.Select(c => c.Expression).OfType<NewArrayExpression>().Max(a => a.Expressions.Count));
    }

    private static void AssertHasNoSqlForNull(string code, string text)
    {
        Assert.Contains(text, code, StringComparison.Ordinal);
        Assert.DoesNotContain("== null", code, StringComparison.Ordinal);
    }

    private static string Precompile<T>(DbContext db, IQueryable<T> query)
        => Precompile<IEnumerable<T>>(db, query.Expression);

    private static string Precompile<T>(DbContext db, Expression query)
        => ExpressionPrinter.Print(db.GetService<IQueryCompiler>().PrecompileQuery<T>(query, async: false));

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

        public List<Reply> Replies { get; } = [];
    }

    public class Reply
    {
        public int Id { get; set; }

        public string? Writer { get; set; }
    }
}
#pragma warning restore EF1001, EF9100
