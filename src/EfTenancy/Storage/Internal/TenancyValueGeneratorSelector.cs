using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.ValueGeneration.Internal;

namespace EfTenancy.Storage.Internal;

/// <summary>
///     Refuses keys that nobody generates as EF does: it looks at keys of one property, and with the tenant they have two.
/// </summary>
#pragma warning disable EF1001 // EF holds one selector; the provider's rules must go on.
public class TenancyValueGeneratorSelector(
    ValueGeneratorSelectorDependencies dependencies,
    INpgsqlSequenceValueGeneratorFactory sequenceFactory,
    INpgsqlRelationalConnection connection,
    IRawSqlCommandBuilder rawSqlCommandBuilder,
    IRelationalCommandDiagnosticsLogger commandLogger)
    : NpgsqlValueGeneratorSelector(dependencies, sequenceFactory, connection, rawSqlCommandBuilder, commandLogger)
{
    public override bool TrySelect(IProperty property, ITypeBase typeBase, out ValueGenerator? valueGenerator)
        => base.TrySelect(property, typeBase, out valueGenerator)
            || (property.GetContainingKeys().Any(IsKeyOfOneOwnProperty)
                ? throw new NotSupportedException(CoreStrings.NoValueGenerator(
                    property.Name, property.DeclaringType.DisplayName(), property.ClrType.ShortDisplayName()))
                : false);

    private static bool IsKeyOfOneOwnProperty(IKey key)
        => key.Properties.Count == 2
            && key.DeclaringEntityType.FindTenantProperty() is { } tenant
            && tenant.IsShadowProperty()
            && key.Properties.Contains(tenant);
}
#pragma warning restore EF1001
