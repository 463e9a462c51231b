using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Marks the model with the settings that shaped it, for <see cref="ChangeTracking.Internal.TenancyStateManager" />.</summary>
public class TenancyModelOptionsConvention(string modelOptions) : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
        => modelBuilder.HasAnnotation(TenancyAnnotationNames.ModelOptions, modelOptions);
}
