using EfTenancy.Diagnostics.Internal;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Warns of a model without anything to isolate, unless that was said: who forgot it would learn of it from another tenant's rows.</summary>
// No rule of the validator, which knows neither the context nor whether tenants have databases.
public class TenancyWithoutTenantsConvention(
    Type contextType,
    IDiagnosticsLogger<DbLoggerCategory.Model.Validation> logger) : IModelFinalizedConvention
{
    public virtual IModel ProcessModelFinalized(IModel model)
    {
        var stored = model.GetEntityTypes().Where(e => e.GetTableName() is not null && !IsOfModelOfEf(e)).ToList();
        if (stored.Count > 0
            && model.GetEntityTypes().All(e => e.FindTenantProperty() is null && e.GetIsMultiTenanted() is null))
        {
            logger.NothingIsMultiTenanted(contextType, stored[0].DisplayName());
        }

        return model;
    }

    // Rows of raw SQL, which have no key, and the history of migrations: EF makes a model for each by the context's conventions.
    private static bool IsOfModelOfEf(IEntityType entityType)
        => entityType.FindPrimaryKey() is null || entityType.ClrType == typeof(HistoryRow);
}
