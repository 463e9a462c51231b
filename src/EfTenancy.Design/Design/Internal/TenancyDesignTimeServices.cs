using EfTenancy.Design.Migrations.Internal;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Design.Internal;

/// <summary>The design-time registration list. EF runs it before the provider's, whose TryAdd then finds ours.</summary>
public class TenancyDesignTimeServices : IDesignTimeServices
{
    public virtual void ConfigureDesignTimeServices(IServiceCollection serviceCollection)
        => serviceCollection
            .AddSingleton<IAnnotationCodeGenerator, TenancyAnnotationCodeGenerator>()
            .AddSingleton<ICSharpMigrationOperationGenerator, TenancyCSharpMigrationOperationGenerator>();
}
