using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>One database with the rows of all tenants, and databases of plain EF with those that a tenant's answers are compared with.</summary>
public sealed class BazaarDatabases(PostgresFixture postgres, int seed) : IAsyncDisposable
{
    private readonly List<TestDatabase> _databases = [];
    private readonly List<DbContextOptions> _plain = [];
    private DbContextOptions? _tenanted;
    private Func<BazaarContext>? _pool;
    private string? _tenantOfApplication;

    /// <summary>The type of contexts, with one model.</summary>
    public Type Context { get; init; } = typeof(BazaarContext);

    /// <summary>The ids of tenants, by their numbers.</summary>
    public Func<int, string> Tenants { get; init; } = i => ((string[])["Green", "Red", "O'Blue", TenancyDefaults.DefaultTenantId])[i];

    /// <summary>Whether a key may be that of one tenant's row only.</summary>
    public bool KeysAreDisjoint { get; init; }

    /// <summary>Whether it is seen before a save that a row would reference nobody, whatever else the database would refuse.</summary>
    public bool RefusesReferencesFirst { get; init; }

    /// <summary>Whether each database of plain EF has the rows of all tenants.</summary>
    public bool PlainHasAllTenants { get; init; }

    /// <summary>Whether tenants read rows of the default tenant beside their own, as each database of plain EF has them.</summary>
    public bool HaveSharedRows { get; init; }

    /// <summary>Whether contexts that begin with a tenant read the rows of the next one too, and belong to neither.</summary>
    public Func<int, bool> IsGroup { get; init; } = _ => false;

    /// <summary>Whether all tenants' units of work share a pooled context.</summary>
    public bool ArePooled { get; init; }

    /// <summary>Whether the model with tenancy is a compiled one.</summary>
    public bool ModelIsCompiled { get; init; }

    public async Task CreateAsync(Action<TenancyDbContextOptionsBuilder> tenancy)
    {
        var all = Enumerable.Range(0, BazaarSeed.Tenants).ToList();
        var database = await DatabaseAsync();
        _tenanted = TenantedOptions();
        if (ModelIsCompiled)
        {
            await using var db = Create(_tenanted);
            _tenanted = TenantedOptions(DesignTime.CompiledModelOf(db));
        }

        _pool = ArePooled ? Pool(_tenanted) : null;
        List<int> shared = HaveSharedRows ? [BazaarSeed.Shared] : [];
        await SeedAsync(_tenanted, [.. all, .. shared], (db, tenant) => db.Tenancy().Use(Tenants(tenant)));

        foreach (var tenant in all)
        {
            _plain.Add(Options(await DatabaseAsync()));
            await SeedAsync(_plain[tenant], [.. PlainHasAllTenants ? all : [tenant], .. shared]);
        }

        DbContextOptions TenantedOptions(IModel? model = null)
            => Options(
                database,
                o =>
                {
                    o.UseTenancy(t => tenancy(t.UseTenantAccessor(_ => _tenantOfApplication)));
                    if (model is not null)
                    {
                        o.UseModel(model);
                    }
                });
    }

    /// <summary>A context with tenancy, of no tenant yet.</summary>
    public BazaarContext Tenanted()
        => Create(_tenanted!);

    /// <summary>A context with tenancy, which asks the application for its tenant unless it works for several.</summary>
    public BazaarContext Tenanted(int tenant)
    {
        _tenantOfApplication = Tenants(tenant);
        var db = _pool is null ? Tenanted() : _pool();
        if (IsGroup(tenant))
        {
            db.Tenancy().Use(Readable(tenant).Select(Tenants));
        }

        return db;
    }

    /// <summary>The tenants whose rows a context reads.</summary>
    public int[] Readable(int tenant)
        => IsGroup(tenant) ? [tenant, (tenant + 1) % BazaarSeed.Tenants] : [tenant];

    /// <summary>A context of plain EF.</summary>
    public BazaarContext Plain(int tenant)
        => Create(_plain[tenant]);

    /// <summary>The first of the keys that a tenant's rows have.</summary>
    public int FirstKey(int tenant)
        => KeysAreDisjoint ? 100 * (tenant + 1) : 1;

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _databases)
        {
            await database.DisposeAsync();
        }
    }

    private BazaarContext Create(DbContextOptions options)
        => (BazaarContext)Activator.CreateInstance(Context, options)!;

    private Func<BazaarContext> Pool(DbContextOptions options)
    {
        var type = typeof(PooledDbContextFactory<>).MakeGenericType(Context);
        return type.GetMethod(nameof(PooledDbContextFactory<>.CreateDbContext))!
            .CreateDelegate<Func<BazaarContext>>(Activator.CreateInstance(type, options, 1));
    }

    private DbContextOptions Options(TestDatabase database, Action<DbContextOptionsBuilder>? configure = null)
    {
        var options = (DbContextOptionsBuilder)Activator.CreateInstance(typeof(DbContextOptionsBuilder<>).MakeGenericType(Context))!;
        options.UseTestDatabase(database.ConnectionString)
            .ConfigureWarnings(w => w.Ignore(RelationalEventId.MultipleCollectionIncludeWarning, CoreEventId.RowLimitingOperationWithoutOrderByWarning));
        configure?.Invoke(options);
        return options.Options;
    }

    private async Task<TestDatabase> DatabaseAsync()
    {
        _databases.Add(await postgres.CreateDatabaseAsync());
        return _databases[^1];
    }

    private async Task SeedAsync(DbContextOptions options, IEnumerable<int> tenants, Action<BazaarContext, int>? use = null)
    {
        foreach (var tenant in tenants)
        {
            await using var db = Create(options);
            use?.Invoke(db, tenant);
            await db.Database.EnsureCreatedAsync();
            await new BazaarSeed(new Random(seed + tenant), tenant, FirstKey(tenant))
            {
                // With tenancy, there are rows of the default tenant that nobody else reads.
                Has = e => use is not null || tenant != BazaarSeed.Shared || SharingContext.IsShared(e.ShortName()),
            }.SaveAsync(db);
        }
    }
}
