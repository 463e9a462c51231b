using System.Security.Claims;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.FunctionalTests;

/// <summary>A context and the code that uses it are not the application's own: ASP.NET Core Identity, whose users become users of a tenant.</summary>
public class IdentityTest(PostgresFixture postgres)
{
    private const string Password = "Correct horse 1";
    private static readonly string[] Tenants = ["Green", "Red"];

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId, false)]
    [InlineData(TenantKeyStyle.TenantThenId, true)]
    [InlineData(TenantKeyStyle.IdThenTenant, false)]
    public async Task Users_of_two_tenants_have_the_same_names_and_never_meet(TenantKeyStyle style, bool partitioned)
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddDbContext<UsersContext>(options => options.UseTestDatabase(database.ConnectionString).UseTenancy(
            tenancy =>
            {
                tenancy.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style).DisableDefaultTenant();
                if (partitioned)
                {
                    tenancy.PartitionMultiTenantedEntities(x => x.ByHash("a", "b"));
                }
            }));
        services.AddIdentityCore<IdentityUser>(
                options =>
                {
                    options.Stores.SchemaVersion = IdentitySchemaVersions.Version3;
                    options.User.RequireUniqueEmail = true;
                })
            .AddRoles<IdentityRole>()
            .AddEntityFrameworkStores<UsersContext>();
        await using var provider = services.BuildServiceProvider(validateScopes: true);
        await using (var scope = provider.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetRequiredService<UsersContext>().Database.EnsureCreatedAsync();
        }

        var ids = new Dictionary<string, string>();
        foreach (var tenant in Tenants)
        {
            await using var session = new Session(provider, tenant);
            ids[tenant] = await session.RegisterAsync();
            Assert.Equal("DuplicateUserName", Assert.Single((await session.Users.CreateAsync(new IdentityUser("joe") { Email = "other@x" }, Password)).Errors).Code);
        }

        foreach (var (tenant, other) in Tenants.Zip(Tenants.Reverse()))
        {
            await using var session = new Session(provider, tenant);
            await session.AssertFindsAsync(ids[tenant]);
            Assert.Null(await session.Users.FindByIdAsync(ids[other]));

            await using var thief = new Session(provider, tenant);
            foreach (var write in (Func<IdentityUser, Task<IdentityResult>>[])
                     [thief.Users.DeleteAsync, u => thief.Users.SetLockoutEnabledAsync(u, false), u => thief.Users.SetPhoneNumberAsync(u, "1")])
            {
                thief.Context.ChangeTracker.Clear();
                var stub = new IdentityUser("thief") { Id = ids[other], Email = "thief@x", SecurityStamp = "", ConcurrencyStamp = "" };
                Assert.Equal("ConcurrencyFailure", Assert.Single((await write(stub)).Errors).Code);
            }
        }

        var users = (await database.ColumnAsync(UsersOfAll)).Select(u => u[..u.IndexOf(' ', StringComparison.Ordinal)]);
        Assert.Equal(Tenants, users);

        await using (var session = new Session(provider, "Green"))
        {
            Assert.True((await session.Users.DeleteAsync((await session.Users.FindByNameAsync("joe"))!)).Succeeded);
            Assert.Empty(session.Users.Users);
        }

        Assert.Equal(["Red 1 1 1 1"], await database.ColumnAsync(UsersOfAll));
    }

    // With what belongs to each: roles, claims, logins, tokens.
    private const string UsersOfAll =
        """
        SELECT concat_ws(' ', u."TenantId",
            (SELECT count(*) FROM "AspNetUserRoles" r WHERE (r."TenantId", r."UserId") = (u."TenantId", u."Id")),
            (SELECT count(*) FROM "AspNetUserClaims" c WHERE (c."TenantId", c."UserId") = (u."TenantId", u."Id")),
            (SELECT count(*) FROM "AspNetUserLogins" l WHERE (l."TenantId", l."UserId") = (u."TenantId", u."Id")),
            (SELECT count(*) FROM "AspNetUserTokens" t WHERE (t."TenantId", t."UserId") = (u."TenantId", u."Id")))
        FROM "AspNetUsers" u WHERE u."UserName" = 'joe' ORDER BY 1
        """;

    private sealed class UsersContext(DbContextOptions<UsersContext> options) : IdentityDbContext<IdentityUser>(options);

    private sealed class Session : IAsyncDisposable
    {
        private static readonly Claim Claim = new("kind", "customer");
        private readonly AsyncServiceScope _scope;

        public Session(IServiceProvider provider, string tenant)
        {
            _scope = provider.CreateAsyncScope();
            Context.Tenancy().Use(tenant);
        }

        public UsersContext Context
            => _scope.ServiceProvider.GetRequiredService<UsersContext>();

        public UserManager<IdentityUser> Users
            => _scope.ServiceProvider.GetRequiredService<UserManager<IdentityUser>>();

        private RoleManager<IdentityRole> Roles
            => _scope.ServiceProvider.GetRequiredService<RoleManager<IdentityRole>>();

        public ValueTask DisposeAsync()
            => _scope.DisposeAsync();

        public async Task<string> RegisterAsync()
        {
            var user = new IdentityUser("joe") { Email = "joe@x" };
            foreach (var write in (Func<Task<IdentityResult>>[])
                     [
                         () => Roles.CreateAsync(new IdentityRole("admin")),
                         () => Users.CreateAsync(user, Password),
                         () => Users.AddToRoleAsync(user, "admin"),
                         () => Users.AddClaimAsync(user, Claim),
                         () => Users.AddLoginAsync(user, new UserLoginInfo("google", "1", null)),
                         () => Users.SetAuthenticationTokenAsync(user, "google", "access", "secret"),
                     ])
            {
                Assert.Empty((await write()).Errors);
            }

            return user.Id;
        }

        public async Task AssertFindsAsync(string id)
        {
            var user = await Users.FindByNameAsync("joe");
            Assert.Equal(
                [id, id, id, id, id, id],
                [
                    user!.Id, (await Users.FindByEmailAsync("joe@x"))!.Id, (await Users.FindByLoginAsync("google", "1"))!.Id, (await Users.FindByIdAsync(id))!.Id,
                    Assert.Single(await Users.GetUsersInRoleAsync("admin")).Id, Assert.Single(await Users.GetUsersForClaimAsync(Claim)).Id,
                ]);
            Assert.True(await Users.CheckPasswordAsync(user, Password));
            Assert.Equal(["admin"], await Users.GetRolesAsync(user));
            Assert.Equal("secret", await Users.GetAuthenticationTokenAsync(user, "google", "access"));
            Assert.True((await Users.SetPhoneNumberAsync(user, "1")).Succeeded);
        }
    }
}
