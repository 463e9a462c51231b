using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Decides which entity types are multi-tenanted and gives those their tenant property.</summary>
public class TenantPropertyConvention(
    bool allEntitiesAreMultiTenanted,
    string tenantPropertyName,
    int? tenantColumnLength,
    Type? tenantPropertyType,
    TenantKeyStyle keyStyle) : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        var model = (IMutableModel)modelBuilder.Metadata;
        model.SetAllEntitiesAreMultiTenanted(allEntitiesAreMultiTenanted);
        var policy = new MultiTenancyPolicy(allEntitiesAreMultiTenanted);
        var multiTenanted = new List<IMutableEntityType>();

        foreach (var entityType in model.GetEntityTypes())
        {
            var root = entityType.GetRootType();
            var isMultiTenanted = policy.Includes(root);
            if (entityType != root)
            {
                if (entityType.GetIsMultiTenanted() is { } own && own != isMultiTenanted)
                {
                    throw new InvalidOperationException(
                        TenancyStrings.DerivedTypeTenancyDiffers(entityType.DisplayName(), root.DisplayName()));
                }
            }
            else if (isMultiTenanted && MultiTenancyPolicy.HasTenantProperty(entityType, keyStyle == TenantKeyStyle.IdOnly))
            {
                multiTenanted.Add(entityType);
            }
        }

        var ownProperty = multiTenanted.Select(e => e.FindProperty(tenantPropertyName)).FirstOrDefault(p => p is not null);
        foreach (var entityType in multiTenanted)
        {
            AddTenantProperty(entityType, ownProperty);
        }
    }

    private void AddTenantProperty(IMutableEntityType entityType, IMutableProperty? ownProperty)
    {
        var type = tenantPropertyType ?? TypeOf(ownProperty) ?? typeof(string);
        var property = entityType.FindProperty(tenantPropertyName);
        if (property is null)
        {
            MakeRoomInDerivedTypes(entityType);
            property = entityType.AddProperty(tenantPropertyName, type);
            if (type == typeof(string))
            {
                MapAsString(property);
            }
            else if (ownProperty?.GetValueConverter() is { } converter)
            {
                property.SetValueConverter(converter);
            }
        }
        else if (TypeOf(property) != type)
        {
            throw new InvalidOperationException(TenancyStrings.TenantPropertyTypesDiffer(
                entityType.DisplayName(),
                property.Name,
                property.ClrType.ShortDisplayName(),
                tenantPropertyType is null ? ownProperty!.DeclaringType.DisplayName() : null,
                type.ShortDisplayName()));
        }

        var ids = TenantIdConverter.For(property);
        if (ids.StoredType == type)
        {
            // The change tracker would take rows of two tenants for one, where the database does not.
            property.SetValueComparer((ValueComparer?)null);
            property.SetProviderValueComparer((ValueComparer?)null);
        }

        MakeRequired(property);

        // With OnAdd, Update(new Blog { Id = 1 }) would be taken for an insert.
        property.ValueGenerated = ValueGenerated.Never;

        // Nobody but EfTenancy gives it: what an INSERT leaves out gets the column's default, and would be the default tenant's.
        property.SetBeforeSaveBehavior(null);

        if (!entityType.IsMappedToJson() && property.FindAnnotation(RelationalAnnotationNames.DefaultValueSql) is null)
        {
            // As SQL: EF warns of constant defaults on key columns, though the rows of an existing table need one.
            var ownDefault = property.RemoveAnnotation(RelationalAnnotationNames.DefaultValue)?.Value;
            var text = ids.ToTenantIdOf(ownDefault) is { } tenantId ? ids.TextOf(tenantId) : ids.DefaultText;
            property.SetDefaultValueSql(SqlLiteral.Of(text));
        }

        entityType.SetTenantProperty(property);
    }

    private static Type? TypeOf(IMutableProperty? property)
        => property is null ? null : Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;

    private void MapAsString(IMutableProperty property)
    {
        // What the application configured for all its strings (citext, a converter, a collation) would make tenants alike.
        property.SetMaxLength(tenantColumnLength);
        property.SetColumnType(tenantColumnLength is { } length ? $"character varying({length})" : "text");
        property.SetValueConverter((ValueConverter?)null);
        property.SetProviderClrType(null);
        property.SetCollation(null);
    }

    private void MakeRoomInDerivedTypes(IMutableEntityType root)
    {
        foreach (var derivedType in root.GetDerivedTypes())
        {
            if (derivedType.FindDeclaredProperty(tenantPropertyName) is { } property)
            {
                throw new InvalidOperationException(TenancyStrings.TenantPropertyOnDerivedType(
                    derivedType.DisplayName(), property.Name, root.DisplayName()));
            }

            // EF refuses a member that is left out of a derived type and mapped by its base.
            derivedType.RemoveIgnored(tenantPropertyName);
        }
    }

    private static void MakeRequired(IMutableProperty property)
    {
        if (!property.IsNullable)
        {
            return;
        }

        // An own, optional reference to a table of tenants must not become one that deletes a tenant's rows with it.
        foreach (var foreignKey in property.GetContainingForeignKeys().ToList())
        {
            if (foreignKey.DeleteBehavior is DeleteBehavior.ClientSetNull or DeleteBehavior.SetNull)
            {
                foreignKey.DeleteBehavior = DeleteBehavior.Restrict;
            }
        }

        property.IsNullable = false;
    }
}
