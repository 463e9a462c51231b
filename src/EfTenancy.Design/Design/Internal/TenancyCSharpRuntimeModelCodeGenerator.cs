using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Scaffolding;
using Microsoft.EntityFrameworkCore.Scaffolding.Internal;

namespace EfTenancy.Design.Internal;

/// <summary>
///     Writes compiled models of multi-tenanted entities. EF cannot write query filters and refuses models that have any; the tenant's are made
///     when the compiled model is loaded, so EF is shown a model without them. It refuses an application's own ones as before.
/// </summary>
#pragma warning disable EF1001 // EF has no public base for it, and a finished model is read-only but for this collection.
public class TenancyCSharpRuntimeModelCodeGenerator(ICSharpRuntimeAnnotationCodeGenerator annotationCodeGenerator, ICSharpHelper cSharpHelper)
    : CSharpRuntimeModelCodeGenerator(annotationCodeGenerator, cSharpHelper)
{
    public override IReadOnlyCollection<ScaffoldedFile> GenerateModel(IModel model, CompiledModelCodeGenerationOptions options)
    {
        var tenantFilters = model.GetEntityTypes()
            .Select(e => (Filters: (QueryFilterCollection?)e[CoreAnnotationNames.QueryFilter], e.FindDeclaredQueryFilter(TenancyDefaults.QueryFilterName)?.Expression))
            .Where(f => f.Expression is not null)
            .ToList();
        tenantFilters.ForEach(f => f.Filters!.Set(new QueryFilter(TenancyDefaults.QueryFilterName, null)));
        try
        {
            return base.GenerateModel(model, options);
        }
        finally
        {
            tenantFilters.ForEach(f => f.Filters!.Set(new QueryFilter(TenancyDefaults.QueryFilterName, f.Expression)));
        }
    }
}
#pragma warning restore EF1001
