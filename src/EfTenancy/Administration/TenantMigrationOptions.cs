namespace EfTenancy.Administration;

/// <summary>How <see cref="ITenantMigrator{TContext}" /> goes about it.</summary>
public sealed class TenantMigrationOptions
{
    /// <summary>How many databases or schemas are migrated at once; 4 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int MaxParallelism
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 4;

    /// <summary>How many are migrated first; the others follow only if none of these fails. None by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int Canaries
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>Tenants whose databases or schemas are among the first, beside <see cref="Canaries" />. None by default.</summary>
    public ICollection<string> CanaryTenants { get; } = new HashSet<string>();

    /// <summary>After this many failures no further one is begun. No limit by default: one broken tenant stops nobody.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int MaxFailures
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = int.MaxValue;

    /// <summary>
    ///     Asks each database which migrations it has, instead of believing the journal of earlier calls. Off by default. Schemas are asked
    ///     in any case, and so are databases without a registry. What the journal knows and is gone is made anew, empty, only with this.
    /// </summary>
    public bool Verify { get; set; }
}
