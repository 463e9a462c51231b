using EfTenancy.FunctionalTests.Mapping;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.Infrastructure;
using Xunit;

namespace EfTenancy.FunctionalTests.TestUtilities;

public enum ClinicTables
{
    Plain,
    Hashed,
    IdThenTenant,
    IdOnly,
}

public sealed class AllClinics() : TheoryData<ClinicTables>(Enum.GetValues<ClinicTables>());

/// <summary>Clinics with each kind of tables and keys.</summary>
public sealed class Clinics(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly Dictionary<ClinicTables, MappingDatabase<ClinicContext>> _databases = new()
    {
        [ClinicTables.Plain] = new PlainDatabase<ClinicContext>(postgres),
        [ClinicTables.Hashed] = new HashedDatabase<ClinicContext>(postgres),
        [ClinicTables.IdThenTenant] = new IdThenTenantDatabase(postgres),
        [ClinicTables.IdOnly] = new IdOnlyDatabase(postgres),
    };

    public Task<Clinic> OpenAsync(ClinicTables tables)
        => Clinic.OpenAsync(_databases[tables]);

    public ClinicContext CreateContext(ClinicTables tables, string connectionString)
        => _databases[tables].CreateContext(connectionString);

    public async ValueTask InitializeAsync()
    {
        foreach (var database in _databases.Values)
        {
            await database.InitializeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _databases.Values)
        {
            await database.DisposeAsync();
        }
    }

    private sealed class IdThenTenantDatabase(PostgresFixture postgres) : MappingDatabase<ClinicContext>(postgres)
    {
        protected override void Configure(TenancyDbContextOptionsBuilder tenancy)
        {
            base.Configure(tenancy);
            tenancy.UseTenantKeyStyle(TenantKeyStyle.IdThenTenant);
        }
    }

    private sealed class IdOnlyDatabase(PostgresFixture postgres) : MappingDatabase<ClinicContext>(postgres)
    {
        protected override void Configure(TenancyDbContextOptionsBuilder tenancy)
        {
            base.Configure(tenancy);
            tenancy.UseTenantKeyStyle(TenantKeyStyle.IdOnly);
        }
    }
}
