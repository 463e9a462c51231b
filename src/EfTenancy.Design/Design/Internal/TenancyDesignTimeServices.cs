using EfTenancy.Design.Migrations.Internal;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.EntityFrameworkCore.Scaffolding;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Design.Internal;

/// <summary>The design-time registration list. EF runs it before the provider's, whose TryAdd then finds ours.</summary>
public class TenancyDesignTimeServices : IDesignTimeServices
{
#pragma warning disable EF1001 // The service of what stands between annotations and code has no public name.
    public virtual void ConfigureDesignTimeServices(IServiceCollection serviceCollection)
        => serviceCollection
            .AddSingleton<IAnnotationCodeGenerator, TenancyAnnotationCodeGenerator>()
            .AddSingleton<ICSharpMigrationOperationGenerator, TenancyCSharpMigrationOperationGenerator>()
            .AddSingleton<ICompiledModelCodeGenerator, TenancyCSharpRuntimeModelCodeGenerator>()
            .AddSingleton<ICSharpRuntimeAnnotationCodeGenerator, TenancyCSharpRuntimeAnnotationCodeGenerator>();
#pragma warning restore EF1001
}
