using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     Puts the tenant in front of unique indexes: a value is taken within a tenant, not among all of them. An application's own index
///     that serves a foreign key gets the tenant where the foreign key got it, and serves it on.
/// </summary>
public class TenantIndexConvention(TenantKeyStyle keyStyle) : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entityType in ((IMutableModel)modelBuilder.Metadata).GetEntityTypes())
        {
            if (entityType.FindTenantProperty() is { } tenant)
            {
                foreach (var index in entityType.GetDeclaredIndexes()
                             .Where(i => i.IsUnique && !i.IsGlobal() && !i.Properties.Contains(tenant))
                             .ToList())
                {
                    LeadWithTenant(entityType, tenant, index);
                }

                foreach (var index in entityType.GetDeclaredIndexes()
                             .Where(i => !i.IsUnique && !i.IsGlobal() && !i.Properties.Contains(tenant))
                             .ToList())
                {
                    FollowForeignKey(entityType, tenant, index);
                }

                if (keyStyle != TenantKeyStyle.TenantThenId && entityType.BaseType is null)
                {
                    AddTenantIndex(entityType, tenant);
                }
            }
        }
    }

    // Where the key leads with the tenant, it serves the filter itself.
    private static void AddTenantIndex(IMutableEntityType entityType, IMutableProperty tenant)
    {
        if (entityType.GetDerivedTypesInclusive().Any(HasTable)
            && !entityType.IsMappedToJson()
            && !(entityType.FindOwnership()?.PrincipalEntityType.GetTableName() is { } table && entityType.GetTableName() == table)
            && !entityType.GetIndexes().Any(i => i.Properties[0] == tenant)
            && !entityType.GetKeys().Any(k => k.Properties[0] == tenant))
        {
            entityType.AddIndex(tenant);
        }
    }

    // EF takes the name of the DbSet for that of a table until the model is nearly done, also where there is a view and no table.
    private static bool HasTable(IMutableEntityType entityType)
        => entityType.GetTableName() is not null
            && entityType is IConventionEntityType convention
            && (convention.GetViewNameConfigurationSource() is null
                || convention.GetTableNameConfigurationSource() is ConfigurationSource.Explicit or ConfigurationSource.DataAnnotation);

    private static void LeadWithTenant(IMutableEntityType entityType, IMutableProperty tenant, IMutableIndex index)
        => AddTenant(entityType, tenant, index, position: 0).IsUnique = true;

    // Without it EF would keep the index as it is, and add one of its own for the foreign key.
    private static void FollowForeignKey(IMutableEntityType entityType, IMutableProperty tenant, IMutableIndex index)
    {
        var served = entityType.GetForeignKeys().Where(fk => !fk.IsUnique && IsServedBy(index, fk, tenant)).ToList();
        if (served.Count > 0 && served.TrueForAll(fk => fk.Properties.Contains(tenant)))
        {
            AddTenant(entityType, tenant, index, served[0].Properties.ToList().IndexOf(tenant));
        }
    }

    private static bool IsServedBy(IMutableIndex index, IMutableForeignKey foreignKey, IMutableProperty tenant)
    {
        var properties = foreignKey.Properties.Where(p => p != tenant).ToList();
        return properties.Count > 0 && index.Properties.Take(properties.Count).SequenceEqual(properties);
    }

    private static IMutableIndex AddTenant(IMutableEntityType entityType, IMutableProperty tenant, IMutableIndex index, int position)
    {
        entityType.RemoveIndex(index);

        List<IMutableProperty> properties = [.. index.Properties];
        properties.Insert(position, tenant);
        var newIndex = index.Name is { } name
            ? entityType.AddIndex(properties, name)
            // EF has made one already where the columns are those of a foreign key.
            : entityType.FindIndex(properties) ?? entityType.AddIndex(properties);

        // An empty list means that all columns descend.
        newIndex.IsDescending = index.IsDescending switch
        {
            null => null,
            { Count: 0 } => With(false, index.Properties.Select(_ => true), position),
            var directions => With(false, directions, position),
        };

        foreach (var annotation in index.GetAnnotations())
        {
            newIndex.SetAnnotation(annotation.Name, WithTenant(annotation, position));
        }

        return newIndex;
    }

    private static T[] With<T>(T ofTenant, IEnumerable<T> values, int position)
    {
        List<T> all = [.. values];
        // A list may be shorter than the columns; the rest has nothing set.
        if (position <= all.Count)
        {
            all.Insert(position, ofTenant);
        }

        return [.. all];
    }

    // The provider keeps some settings as lists in the order of the columns; the tenant's entry sets nothing.
#pragma warning disable EF1001 // The typed setters of these settings differ only in their name.
    private static object? WithTenant(IAnnotation annotation, int position)
        => (annotation.Name, annotation.Value) switch
        {
            (NpgsqlAnnotationNames.IndexOperators or RelationalAnnotationNames.Collation, IEnumerable<string> values)
                => With("", values, position),
            (NpgsqlAnnotationNames.IndexNullSortOrder, IEnumerable<NullSortOrder> values)
                => With(NullSortOrder.Unspecified, values, position),
            var (_, value) => value,
        };
#pragma warning restore EF1001
}
