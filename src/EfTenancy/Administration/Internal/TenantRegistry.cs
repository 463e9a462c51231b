using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>The rows of the registry of tenants.</summary>
public sealed class TenantRegistry(TenantRegistrySql sql, TenantDestination destination)
{
    public string Table
        => sql.Table;

    /// <summary>For the rest of the transaction no other process registers tenants, and no migration makes a table for them.</summary>
    public Task LockAsync(TenantConnection connection, CancellationToken cancellationToken)
        => connection.ExecuteAsync([sql.Lock()], cancellationToken);

    /// <summary>One session at a time splits partitions. False if another does.</summary>
    public async Task<bool> TryLockSplitAsync(TenantConnection connection, CancellationToken cancellationToken)
        => (await connection.QueryAsync(sql.LockSplit(), r => r.GetBoolean(0), cancellationToken).ConfigureAwait(false))[0];

    public Task UnlockSplitAsync(TenantConnection connection)
        => connection.ReleaseAsync(sql.UnlockSplit());

    /// <summary>A partition that another session writes anew cannot get or lose tenants for the rest of the transaction.</summary>
    public async Task RefuseBesideSplitAsync(TenantConnection connection, CancellationToken cancellationToken)
    {
        if (!(await connection.QueryAsync(sql.LockOutSplit(), r => r.GetBoolean(0), cancellationToken).ConfigureAwait(false))[0])
        {
            throw new TenantLockException("another process splits shared partitions");
        }
    }

    public async Task<Dictionary<string, TenantRegistration>> ReadAsync(TenantConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            var rows = await AllowedAsync(
                () => connection.QueryAsync(
                    $"SELECT partition_value, partition_name, disabled, state FROM {sql.Table}",
                    r => new TenantRegistration(r.GetString(0), r.GetString(1), r.GetBoolean(2), r.GetString(3)),
                    cancellationToken)).ConfigureAwait(false);
            return rows.ToDictionary(r => r.TenantId);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UndefinedTable)
        {
            throw new InvalidOperationException(TenancyStrings.TenantRegistryMissing(sql.Table), exception);
        }
    }

    /// <summary>The same, where these must be among them.</summary>
    /// <exception cref="UnknownTenantException">One is not registered.</exception>
    public async Task<Dictionary<string, TenantRegistration>> ReadKnownAsync(
        TenantConnection connection,
        HashSet<string> known,
        CancellationToken cancellationToken)
    {
        var registered = await ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        return known.Where(id => !registered.ContainsKey(id)).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } unknown
            ? throw new UnknownTenantException(TenancyStrings.TenantNotRegistered(unknown), unknown[0])
            : registered;
    }

    public Task AddAsync(TenantConnection connection, IEnumerable<(string Id, string Suffix)> tenants, CancellationToken cancellationToken)
    {
        var all = tenants.ToList();
        return ExecuteAsync(
            connection,
            $"""
            INSERT INTO {sql.Table} (partition_value, partition_name, state)
            SELECT id, suffix, '{TenantRegistrySql.Adding}' FROM unnest(@ids, @suffixes) AS t(id, suffix)
            ON CONFLICT (partition_value) DO NOTHING
            """,
            cancellationToken,
            Texts("ids", all.Select(t => t.Id)), Texts("suffixes", all.Select(t => t.Suffix)));
    }

    /// <summary>Gives tenants the suffixes of partitions that they have just got.</summary>
    public Task RenameAsync(TenantConnection connection, IEnumerable<(string Id, string Suffix)> tenants, CancellationToken cancellationToken)
    {
        var all = tenants.ToList();
        return ExecuteAsync(
            connection,
            $"""
            UPDATE {sql.Table} SET partition_name = suffix FROM unnest(@ids, @suffixes) AS t(id, suffix)
            WHERE partition_value = id AND partition_name <> suffix
            """,
            cancellationToken,
            Texts("ids", all.Select(t => t.Id)), Texts("suffixes", all.Select(t => t.Suffix)));
    }

    /// <summary>By itself, since it is the last step.</summary>
    public Task ActivateAsync(TenantConnection connection, IEnumerable<string> tenantIds, CancellationToken cancellationToken)
        => connection.RetryAsync(
            () => ExecuteAsync(
                connection,
                $"""
                UPDATE {sql.Table} SET state = '{TenantRegistrySql.Active}'
                WHERE partition_value = ANY(@ids) AND state = '{TenantRegistrySql.Adding}'
                """,
                cancellationToken, Texts("ids", tenantIds)),
            cancellationToken);

    public Task SetDisabledAsync(TenantConnection connection, IEnumerable<string> tenantIds, bool disabled, CancellationToken cancellationToken)
        => ExecuteAsync(
            connection,
            $"UPDATE {sql.Table} SET disabled = {(disabled ? "true" : "false")} WHERE partition_value = ANY(@ids)",
            cancellationToken, Texts("ids", tenantIds));

    /// <summary>From here on a tenant can only go; the partitions that go with it are found again whatever they are called.</summary>
    /// <returns>These partitions, with those of earlier calls; null if the tenant has gone meanwhile.</returns>
    public async Task<uint[]?> StartRemovingAsync(
        TenantConnection connection,
        string tenantId,
        IEnumerable<uint> partitions,
        CancellationToken cancellationToken)
        => (await AllowedAsync(
            () => connection.QueryAsync(
                $"""
                UPDATE {sql.Table}
                SET state = '{TenantRegistrySql.Removing}', removing = ARRAY(SELECT unnest(removing) UNION SELECT unnest(@partitions))
                WHERE partition_value = @id RETURNING removing
                """,
                r => r.GetFieldValue<uint[]>(0),
                cancellationToken,
                new NpgsqlParameter("id", tenantId), TenantCatalog.Parameter("partitions", NpgsqlDbType.Oid, partitions.ToArray())))
            .ConfigureAwait(false)).FirstOrDefault();

    /// <summary>By itself, since it is the last step.</summary>
    public Task RemoveAsync(TenantConnection connection, IEnumerable<string> tenantIds, CancellationToken cancellationToken)
        => connection.RetryAsync(
            () => ExecuteAsync(
                connection,
                $"DELETE FROM {sql.Table} WHERE partition_value = ANY(@ids) AND state = '{TenantRegistrySql.Removing}'",
                cancellationToken, Texts("ids", tenantIds)),
            cancellationToken);

    private Task<int> ExecuteAsync(
        TenantConnection connection,
        string statement,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters)
        => AllowedAsync(() => connection.ExecuteAsync(statement, cancellationToken, parameters));

    private async Task<T> AllowedAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new TenantDatabaseException(
                TenancyStrings.TenantRegistryForbidden(sql.Table, tenant: null, exception.MessageText),
                TenantDatabaseError.AccessDenied, tenantId: null, destination, exception);
        }
    }

    private static NpgsqlParameter Texts(string name, IEnumerable<string> values)
        => TenantCatalog.Parameter(name, NpgsqlDbType.Text, values.ToArray());
}

/// <summary>A row of the registry.</summary>
public sealed record TenantRegistration(string TenantId, string Suffix, bool IsDisabled, string StateName)
{
    public bool IsBeingRemoved
        => StateName == TenantRegistrySql.Removing;

    public TenantState State
        => StateName switch
        {
            TenantRegistrySql.Removing => TenantState.Removing,
            _ when IsDisabled => TenantState.Disabled,
            TenantRegistrySql.Adding => TenantState.Adding,
            _ => TenantState.Active,
        };
}
