using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EfTenancy.Metadata.Internal;

/// <summary>Decides which entity types are multi-tenanted: by what was said of each, else by what it follows, else by the policy for all.</summary>
public sealed class MultiTenancyPolicy(bool allEntitiesAreMultiTenanted)
{
    private readonly Dictionary<IReadOnlyEntityType, bool> _decided = [];

    /// <summary>What is in JSON belongs to the tenant of its row, and only in a key is the tenant there without being in the document too.</summary>
    public static bool HasTenantProperty(IReadOnlyEntityType multiTenanted, bool keysAreIdsOnly)
        => !(keysAreIdsOnly && multiTenanted.IsMappedToJson());

    public bool Includes(IReadOnlyEntityType root)
    {
        if (!_decided.TryGetValue(root, out var isMultiTenanted))
        {
            // Stands while the principals are asked, so that a cycle of references ends.
            _decided[root] = false;
            _decided[root] = isMultiTenanted = root.FindOwnership() is { } ownership
                ? Includes(ownership.PrincipalEntityType.GetRootType())
                : root.GetIsMultiTenanted()
                    ?? (IsJoinEntityOfEf(root)
                        ? root.GetForeignKeys().Any(fk => Includes(fk.PrincipalEntityType.GetRootType()))
                        : allEntitiesAreMultiTenanted && !IsOfEfItself(root));
        }

        return isMultiTenanted;
    }

    // EF runs two small models of its own through the context's conventions: that of the table of applied migrations, and one
    // for each result type of SqlQuery, whose rows are whatever its SQL says.
#pragma warning disable EF1001 // Nothing public tells the latter from a model of the user.
    private static bool IsOfEfItself(IReadOnlyEntityType entityType)
        => entityType.ClrType == typeof(HistoryRow)
            || entityType.Model[CoreAnnotationNames.AdHocModel] is true;
#pragma warning restore EF1001

    // A join entity that EF made has no class and no builder call that could opt in, so it follows the entities it joins.
    private static bool IsJoinEntityOfEf(IReadOnlyEntityType entityType)
        => entityType.HasSharedClrType
            && !entityType.GetReferencingForeignKeys().Any()
            && entityType.GetForeignKeys().Any(fk => fk.GetReferencingSkipNavigations().Any());
}
