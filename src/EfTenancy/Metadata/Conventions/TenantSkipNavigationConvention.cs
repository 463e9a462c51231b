using System.Runtime.CompilerServices;
using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Gives many-to-many navigations of multi-tenanted entities a loader that knows the tenant.</summary>
#pragma warning disable EF1001 // EF keeps the loader in a field of the finished model, and makes it without asking any service.
public class TenantSkipNavigationConvention : IModelFinalizedConvention
{
    public virtual IModel ProcessModelFinalized(IModel model)
    {
        SetLoaders(model);
        return model;
    }

    public static void SetLoaders(IModel model)
    {
        foreach (var navigation in model.GetEntityTypes().SelectMany(e => e.GetDeclaredSkipNavigations()).OfType<RuntimeSkipNavigation>())
        {
            if (((ISkipNavigation)navigation).DeclaringEntityType.FindTenantProperty() is not null)
            {
                LoaderOf(navigation) = Create(navigation);
            }
        }
    }

    private static ICollectionLoader Create(ISkipNavigation navigation)
        => (ICollectionLoader)Activator.CreateInstance(
            typeof(TenancyManyToManyLoader<,>).MakeGenericType(
                navigation.TargetEntityType.ClrType, navigation.DeclaringEntityType.ClrType),
            navigation)!;

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_manyToManyLoader")]
    private static extern ref ICollectionLoader? LoaderOf(RuntimeSkipNavigation navigation);
}
#pragma warning restore EF1001
