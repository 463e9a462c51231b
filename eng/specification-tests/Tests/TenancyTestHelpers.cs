namespace Microsoft.EntityFrameworkCore.TestUtilities;

/// <summary>For models that a fixture builds by itself and gives to its contexts.</summary>
public class TenancyTestHelpers : NpgsqlTestHelpers
{
    protected TenancyTestHelpers()
    {
    }

    public static new TenancyTestHelpers Instance { get; } = new();

    public override IServiceCollection AddProviderServices(IServiceCollection services)
        => base.AddProviderServices(services).AddSpecificationTenancy();

    public override DbContextOptionsBuilder UseProviderOptions(DbContextOptionsBuilder optionsBuilder)
        => base.UseProviderOptions(optionsBuilder).UseSpecificationTenancy();
}
