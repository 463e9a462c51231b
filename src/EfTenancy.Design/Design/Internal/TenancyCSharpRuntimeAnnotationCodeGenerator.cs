using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Design.Internal;

namespace EfTenancy.Design.Internal;

/// <summary>Ends the code of a compiled model with the call that gives it what cannot be written: the tenant's filters and loaders.</summary>
#pragma warning disable EF1001 // EF holds one generator of annotations, the provider's.
public class TenancyCSharpRuntimeAnnotationCodeGenerator(
    CSharpRuntimeAnnotationCodeGeneratorDependencies dependencies,
    RelationalCSharpRuntimeAnnotationCodeGeneratorDependencies relationalDependencies)
    : NpgsqlCSharpRuntimeAnnotationCodeGenerator(dependencies, relationalDependencies)
{
    public override void Generate(IModel model, CSharpRuntimeAnnotationCodeGeneratorParameters parameters)
    {
        if (parameters.IsRuntime)
        {
            // What was worked out of the model while it was in use.
            foreach (var name in parameters.Annotations.Keys.Where(n => n.StartsWith(TenancyAnnotationNames.Prefix, StringComparison.Ordinal)).ToList())
            {
                parameters.Annotations.Remove(name);
            }
        }

        base.Generate(model, parameters);

        if (!parameters.IsRuntime && model.HasMultiTenantedEntities())
        {
            parameters.Namespaces.Add(typeof(CompiledTenancyModel).Namespace!);
            parameters.MainBuilder
                .Append(nameof(CompiledTenancyModel)).Append('.').Append(nameof(CompiledTenancyModel.Complete))
                .Append('(').Append(parameters.TargetName).AppendLine(");");
        }
    }
}
#pragma warning restore EF1001
