using System.Text.Json;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>How far the move of a tenant is, as the registry has it for whoever goes on.</summary>
public sealed class TenantMoveJournal(RegisteredTenantDirectory directory, TenantMoveLock held, string tenantId)
{
    // What another process read when it last asked may be used so long; its question was on its way when the state changed.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(TenancyDefaults.TenantStateSeconds) + TimeSpan.FromMilliseconds(250);

    private DestinationRegistry Registry
        => directory.Registry;

    /// <summary>From here on the tenant is read only.</summary>
    public async Task StartAsync(TenantDestination destination, CancellationToken cancellationToken)
    {
        var changed = await ExecuteAsync(
            Registry.Sql.StartMove, cancellationToken,
            DestinationRegistry.Text("database_name", destination.Database),
            DestinationRegistry.Text("schema_name", destination.Schema)).ConfigureAwait(false);
        if (changed == 0)
        {
            throw new InvalidOperationException(TenancyStrings.TenantStateChanged(tenantId));
        }
    }

    /// <summary>From here on the tenant is in its next place.</summary>
    public async Task SwitchAsync(TransferCatalog catalog, Dictionary<string, TableProof> proofs, CancellationToken cancellationToken)
    {
        var copied = catalog.Tables.Select(t => new CopiedTable(t.Key, [.. t.Columns.Select(c => c.Name)], proofs[t.Key]));
        var changed = await ExecuteAsync(
            Registry.Sql.SwitchPlaces, cancellationToken,
            DestinationRegistry.Text("proof", JsonSerializer.Serialize(copied))).ConfigureAwait(false);
        if (changed == 0)
        {
            throw new InvalidOperationException(TenancyStrings.TenantStateChanged(tenantId));
        }
    }

    /// <summary>From here on it may write there.</summary>
    public Task LetWriteAsync(CancellationToken cancellationToken)
        => ExecuteAsync(Registry.Sql.LetWrite, cancellationToken);

    /// <summary>Whether the tenant is on its way still: what was sent before is done, or never will be.</summary>
    public async Task<bool> IsMovingAsync(CancellationToken cancellationToken)
        => await ExecuteAsync(Registry.Sql.TouchMove, cancellationToken).ConfigureAwait(false) > 0;

    /// <param name="state">The state that it ends in: <see cref="DestinationRegistrySql.Moving" /> where the move is given up.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public Task EndAsync(string state, CancellationToken cancellationToken)
        => ExecuteAsync(Registry.Sql.EndMove, cancellationToken, DestinationRegistry.Text("state", state));

    public static IReadOnlyList<CopiedTable> CopiedOf(RegisteredDestination tenant)
        => JsonSerializer.Deserialize<List<CopiedTable>>(tenant.Proof!)!;

    /// <summary>Until every process knows of the last change.</summary>
    public async Task WaitUntilKnownAsync(CancellationToken cancellationToken)
    {
        var milliseconds = await Registry.WithConnectionAsync(
            async connection =>
            {
                var command = new Npgsql.NpgsqlCommand(Registry.Sql.SelectMillisecondsSinceChange, connection)
                {
                    Parameters = { DestinationRegistry.Text("tenant_id", tenantId) },
                };
                await using var _ = command.ConfigureAwait(false);
                return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is double since ? since : 0;
            },
            inTransaction: false, cancellationToken).ConfigureAwait(false);

        // The server's clock may have been set meanwhile.
        var left = Bound - TimeSpan.FromMilliseconds(Math.Max(0, milliseconds));
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params Npgsql.NpgsqlParameter[] parameters)
    {
        try
        {
            return await held.ExecuteAsync(sql, cancellationToken, parameters).ConfigureAwait(false);
        }
        finally
        {
            directory.Changed();
        }
    }
}
