using System.Globalization;
using System.Text.RegularExpressions;
using EfTenancy.Administration.Internal;
using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>PostgreSQL's refusal of a row that no partition takes, or that none will take once the table that it is for is partitioned.</summary>
public sealed partial class MissingPartition
{
    private readonly PostgresException _error;
    private readonly Exception _exception;

    private MissingPartition(PostgresException error, Exception exception)
    {
        _error = error;
        _exception = exception;
    }

    public static MissingPartition? In(Exception exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            // A check constraint has the same code; the routine, unlike the message, is not translated.
            if (inner is PostgresException { SqlState: PostgresErrorCodes.CheckViolation } error
                and ({ Routine: "ExecFindPartition" } or { ConstraintName: FirstPartitionBoundSql.Constraint }))
            {
                return new MissingPartition(error, exception);
            }
        }

        return null;
    }

    /// <summary>The number of the refused row of a COPY, counted from one.</summary>
    public long? CopiedRow
        => long.TryParse(LastNumber().Match(_error.Where ?? "").Value, NumberStyles.None, CultureInfo.InvariantCulture, out var row)
            ? row
            : null;

    // "COPY Flights, line 7", in the server's language.
    [GeneratedRegex(@"\d+(?=\D*\z)", RegexOptions.CultureInvariant)]
    private static partial Regex LastNumber();

    public UnknownTenantException ToUnknownTenant(string? tenantId, IModel model)
        => new(
            _error.ConstraintName == FirstPartitionBoundSql.Constraint
                ? TenancyStrings.UnknownTenantOfConversion(tenantId, _error.TableName)
            : TenantTablesOfModel.RegistrySchemaOf(model) is null
                ? TenancyStrings.UnknownTenant(tenantId, _error.TableName)
                : TenancyStrings.UnknownRegisteredTenant(tenantId, _error.TableName),
            tenantId,
            _error.TableName,
            _exception);
}
