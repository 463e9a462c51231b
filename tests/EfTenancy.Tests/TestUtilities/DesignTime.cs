using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Scaffolding;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.Tests.TestUtilities;

/// <summary>What <c>dotnet ef</c> does with a context.</summary>
#pragma warning disable EF1001 // `dotnet ef` uses these too.
public static class DesignTime
{
    private static readonly PortableExecutableReference[] References =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(p => MetadataReference.CreateFromFile(p))];

    // The attribute in this assembly leads to EfTenancy.Design.
    public static ServiceProvider Services(DbContext context, Action<string>? warn = null)
    {
        var assembly = typeof(DesignTime).Assembly;
        return new DesignTimeServicesBuilder(assembly, assembly, new OperationReporter(new OperationReportHandler(warningHandler: warn)), [])
            .CreateServiceCollection(context).BuildServiceProvider(validateScopes: true);
    }

    /// <summary>What <c>dotnet ef dbcontext optimize</c> writes, compiled.</summary>
    public static IModel CompiledModelOf(DbContext context)
    {
        using var services = Services(context);
        var files = services.GetRequiredService<ICompiledModelCodeGeneratorSelector>()
            .Select(new CompiledModelCodeGenerationOptions())
            .GenerateModel(
                context.GetService<IDesignTimeModel>().Model,
                new CompiledModelCodeGenerationOptions { ContextType = context.GetType(), ModelNamespace = "Compiled", UseNullableReferenceTypes = true });
        var model = Compile([.. files.Select(f => f.Code)]).GetTypes().Single(t => t.IsSubclassOf(typeof(RuntimeModel)));
        return (IModel)model.GetProperty("Instance")!.GetValue(null)!;
    }

    public static Assembly Compile(params string[] sources)
    {
        var compilation = CSharpCompilation.Create(
            Guid.NewGuid().ToString(), sources.Select(s => CSharpSyntaxTree.ParseText(s)), References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));

        using var stream = new MemoryStream();
        var result = compilation.Emit(stream);
        Assert.True(result.Success, string.Join('\n', [.. result.Diagnostics.Select(d => d.ToString()), .. sources]));
        stream.Position = 0;
        return AssemblyLoadContext.Default.LoadFromStream(stream);
    }
}
#pragma warning restore EF1001
