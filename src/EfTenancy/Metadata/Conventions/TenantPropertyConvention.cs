using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Migrations;
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
        var decided = new Dictionary<IMutableEntityType, bool>();
        var multiTenanted = new List<IMutableEntityType>();

        foreach (var entityType in model.GetEntityTypes())
        {
            var root = entityType.GetRootType();
            var isMultiTenanted = IsMultiTenanted(root, decided);
            if (entityType != root)
            {
                if (entityType.GetIsMultiTenanted() is { } own && own != isMultiTenanted)
                {
                    throw new InvalidOperationException(
                        TenancyStrings.DerivedTypeTenancyDiffers(entityType.DisplayName(), root.DisplayName()));
                }
            }
            // What is in JSON belongs to the tenant of its row. Only a key holds the tenant without it being in the document too.
            else if (isMultiTenanted && !(keyStyle == TenantKeyStyle.IdOnly && entityType.IsMappedToJson()))
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

    private bool IsMultiTenanted(IMutableEntityType root, Dictionary<IMutableEntityType, bool> decided)
    {
        if (!decided.TryGetValue(root, out var isMultiTenanted))
        {
            // Stands while the principals are asked, so that a cycle of references ends.
            decided[root] = false;
            decided[root] = isMultiTenanted = root.FindOwnership() is { } ownership
                ? IsMultiTenanted(ownership.PrincipalEntityType.GetRootType(), decided)
                : root.GetIsMultiTenanted()
                    ?? (IsJoinEntityOfEf(root)
                        ? ReferencesMultiTenanted(root, decided)
                        : allEntitiesAreMultiTenanted && !IsOfEfItself(root));
        }

        return isMultiTenanted;
    }

    // EF runs two small models of its own through the context's conventions: that of the table of applied migrations, and one
    // for each result type of SqlQuery, whose rows are whatever its SQL says.
#pragma warning disable EF1001 // Nothing public tells the latter from a model of the user.
    private static bool IsOfEfItself(IMutableEntityType entityType)
        => entityType.ClrType == typeof(HistoryRow)
            || entityType.Model[CoreAnnotationNames.AdHocModel] is true;
#pragma warning restore EF1001

    // A join entity that EF made has no class and no builder call that could opt in, so it follows the entities it joins.
    private static bool IsJoinEntityOfEf(IMutableEntityType entityType)
        => entityType.HasSharedClrType
            && !entityType.GetReferencingForeignKeys().Any()
            && entityType.GetForeignKeys().Any(fk => fk.GetReferencingSkipNavigations().Any());

    private bool ReferencesMultiTenanted(IMutableEntityType entityType, Dictionary<IMutableEntityType, bool> decided)
        => entityType.GetForeignKeys().Any(fk => IsMultiTenanted(fk.PrincipalEntityType.GetRootType(), decided));

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

        MakeRequired(property);

        // With OnAdd, Update(new Blog { Id = 1 }) would be taken for an insert.
        property.ValueGenerated = ValueGenerated.Never;

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
