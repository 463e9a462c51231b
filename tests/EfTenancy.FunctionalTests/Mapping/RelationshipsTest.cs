using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

public class RelationshipsTest(PlainDatabase<RelationshipsContext> plain, HashedDatabase<RelationshipsContext> hashed)
    : MappingTest<RelationshipsContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Tree_of_one_entity(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Folder>(
                tenant => new Folder
                {
                    Id = 1,
                    Name = tenant,
                    Children =
                    {
                        new Folder { Id = 2, Name = tenant, Children = { new Folder { Id = 3, Name = tenant } } },
                        new Folder { Id = 4, Name = tenant },
                    },
                },
                folder => folder.Children.Single(f => f.Id == 2).Children[0].Name += "!",
                folder => new Folder
                {
                    Id = folder.Id,
                    Name = "",
                    Children = { new Folder { Id = 2, Name = "", Children = { new Folder { Id = 3, Name = "" } } }, new Folder { Id = 4, Name = "" } },
                })
            {
                Set = context => context.Set<Folder>().Where(f => f.ParentId == null),
                Load = folders => folders.Include(f => f.Children).ThenInclude(f => f.Children),
                // The database does not let a folder go that has children.
                Remove = (context, folder) => context.RemoveRange(
                    [folder, .. folder.Children, .. folder.Children.SelectMany(f => f.Children)]),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Many_to_many(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Author>(
                tenant => new Author { Id = 1, Name = tenant, Books = { new Book { Id = 1, Title = tenant }, new Book { Id = 2, Title = tenant } } },
                author => (author.Name, author.Books[0].Title) = (author.Name + "!", author.Books[0].Title + "!"),
                author => new Author { Id = author.Id, Name = "" })
            {
                Load = authors => authors.Include(a => a.Books),
                // EF takes the links of an untracked graph for new ones.
                CanBeDetached = false,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Links_of_a_many_to_many_relationship_come_and_go(Tables tables)
    {
        foreach (var tenant in (string[])["Red", "Green"])
        {
            await using var context = For(tables, tenant);
            context.Add(new Author { Id = 5, Name = tenant, Books = { new Book { Id = 5, Title = tenant }, new Book { Id = 6, Title = tenant } } });
            await context.SaveChangesAsync();
        }

        await using (var context = For(tables, "Green"))
        {
            var author = await context.Set<Author>().Include(a => a.Books).SingleAsync();
            author.Books.Remove(author.Books.Single(b => b.Id == 5));
            author.Books.Add(context.Add(new Book { Id = 7, Title = "Green" }).Entity);
            await context.SaveChangesAsync();
        }

        Assert.Equal(
            ["Green|5|6", "Green|5|7", "Red|5|5", "Red|5|6"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "AuthorsId", "BooksId") FROM "AuthorBook" ORDER BY 1"""));

        await using (var context = For(tables, "Green"))
        {
            var stub = context.Attach(new Author { Id = 5, Name = "", Books = { new Book { Id = 5, Title = "" } } }).Entity;
            await context.Entry(stub).Collection(a => a.Books).LoadAsync();
            Assert.Equal([5, 6, 7], stub.Books.Select(b => b.Id).Order());
            Assert.Equal([6, 7], await context.Set<Author>().SelectMany(a => a.Books).Select(b => b.Id).Order().ToListAsync());
        }

        await Database(tables).ExecuteAsync("""DELETE FROM "Author"; DELETE FROM "Book" """);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Many_to_many_with_an_entity_between(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Student>(
                tenant => new Student
                {
                    Id = 1,
                    Name = tenant,
                    Enrolments = { new Enrolment { StudentId = 1, CourseId = 1, Grade = tenant, Course = new Course { Id = 1, Name = tenant } } },
                },
                student => (student.Name, student.Enrolments[0].Grade) = (student.Name + "!", student.Enrolments[0].Grade + "!"),
                student => new Student { Id = student.Id, Name = "" })
            {
                Load = students => students.Include(s => s.Enrolments).ThenInclude(e => e.Course).Include(s => s.Courses),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Many_to_many_in_one_direction(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Recipe>(
                tenant => new Recipe { Id = 1, Name = tenant, Flavours = { new Flavour { Id = 1, Name = tenant } } },
                recipe => recipe.Flavours[0].Name += "!",
                recipe => new Recipe { Id = recipe.Id, Name = "" })
            {
                Load = recipes => recipes.Include(r => r.Flavours),
                CanBeDetached = false,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Alternate_key_as_target(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Country>(
                tenant => new Country { Id = 1, Code = "xx", Name = tenant, Towns = { new Town { Id = 1, Name = tenant, CountryCode = "xx" } } },
                country => (country.Name, country.Towns[0].Name) = (country.Name + "!", country.Towns[0].Name + "!"),
                country => new Country { Id = country.Id, Code = country.Code, Name = "" })
            {
                Load = countries => countries.Include(c => c.Towns),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Composite_key_and_reference(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Seat>(
                tenant => new Seat { Row = 1, Number = 2, Colour = tenant, Bookings = { new Booking { Id = 1, Guest = tenant } } },
                seat => (seat.Colour, seat.Bookings[0].Guest) = (seat.Colour + "!", seat.Bookings[0].Guest + "!"),
                seat => new Seat { Row = seat.Row, Number = seat.Number, Colour = "" })
            {
                Load = seats => seats.Include(s => s.Bookings),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Backing_fields_and_shadow_references(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Project>(
                tenant =>
                {
                    var project = Project.Create(1, tenant).WithTask(new ProjectTask { Id = 1, Name = tenant });
                    project.Ideas.Add(new Idea { Id = 1, Text = tenant });
                    return project;
                },
                project =>
                {
                    project.Rename(project.Name + "!");
                    project.Tasks[0].Name += "!";
                    project.Ideas[0].Text += "!";
                },
                project => Project.Create(project.Id, ""))
            {
                Load = projects => projects.Include(p => p.Tasks).Include(p => p.Ideas),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Removing_from_collections_deletes_orphans_and_severs_optional_ones(Tables tables)
    {
        foreach (var tenant in (string[])["Red", "Green"])
        {
            await using var context = For(tables, tenant);
            var project = Project.Create(2, tenant).WithTask(new ProjectTask { Id = 2, Name = tenant });
            project.Ideas.Add(new Idea { Id = 2, Text = tenant });
            context.Add(project);
            await context.SaveChangesAsync();
        }

        await using (var context = For(tables, "Green"))
        {
            var project = await context.Set<Project>().Include(p => p.Tasks).Include(p => p.Ideas).AsSplitQuery().SingleAsync();
            ((List<ProjectTask>)project.Tasks).Clear();
            project.Ideas.Clear();
            await context.SaveChangesAsync();
        }

        Assert.Equal(["Red|2|2"], await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Id", "ProjectId") FROM "ProjectTask" """));
        Assert.Equal(
            ["Green|2", "Red|2|2"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Id", "ProjectId") FROM "Idea" ORDER BY 1"""));
        await Database(tables).ExecuteAsync("""DELETE FROM "Idea"; DELETE FROM "Project" """);
    }
}
