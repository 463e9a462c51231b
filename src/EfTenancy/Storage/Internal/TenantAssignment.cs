using EfTenancy.Properties;

namespace EfTenancy.Storage.Internal;

/// <summary>Where a tenant goes that has no place yet.</summary>
public abstract record TenantAssignment
{
    /// <summary>Whether a tenant that nobody added gets its place when it is first used; it is unknown otherwise.</summary>
    public bool OnFirstUse { get; init; }

    /// <summary>Whether several tenants may get the same place.</summary>
    public virtual bool IsShared
        => false;

    /// <summary>Whether the home database has the registry and nothing else.</summary>
    public virtual bool LeavesHomeEmpty
        => false;

    /// <param name="tenantId">The tenant.</param>
    /// <param name="content">The registry, under its lock.</param>
    /// <returns>The destination, or null if somebody has to say it.</returns>
    public abstract TenantDestination? Choose(string tenantId, RegistryContent content);

    /// <summary>Nobody but the registry knows.</summary>
    public sealed record Explicit(bool IsSharded) : TenantAssignment
    {
        public override bool IsShared
            => IsSharded;

        public override bool LeavesHomeEmpty
            => IsSharded;

        public override TenantDestination? Choose(string tenantId, RegistryContent content)
            => null;
    }

    /// <summary>The tables of the home database, without a row in the registry.</summary>
    public sealed record SharedHome : TenantAssignment
    {
        public override bool IsShared
            => true;

        public override TenantDestination? Choose(string tenantId, RegistryContent content)
            => TenantDestination.Home;
    }

    /// <summary>A database of its own on the server of the home database.</summary>
    public sealed record OwnDatabase(string Prefix, string? Template) : TenantAssignment
    {
        public override bool LeavesHomeEmpty
            => true;

        public override TenantDestination? Choose(string tenantId, RegistryContent content)
            => TenantDestination.InDatabase(TenantPartitionNaming.PrefixedName(Prefix, tenantId));
    }

    /// <summary>A schema of its own in the home database.</summary>
    public sealed record OwnSchema(string Prefix) : TenantAssignment
    {
        public override TenantDestination? Choose(string tenantId, RegistryContent content)
            => TenantDestination.InSchema(TenantPartitionNaming.PrefixedName(Prefix, tenantId));
    }

    /// <summary>One of a pool of databases.</summary>
    public sealed record Shard(Func<string, IReadOnlyList<TenantShard>, string> Strategy) : TenantAssignment
    {
        public override bool IsShared
            => true;

        public override bool LeavesHomeEmpty
            => true;

        public override TenantDestination? Choose(string tenantId, RegistryContent content)
        {
            var open = content.Databases.Where(d => !d.IsFull).Select(d => new TenantShard(d.Name, content.TenantsIn(d.Name))).ToList();
            if (open.Count == 0)
            {
                throw new InvalidOperationException(TenancyStrings.AllShardsAreFull(tenantId, content.Databases.Count));
            }

            var chosen = Strategy(tenantId, open);
            return open.Any(s => s.Name == chosen)
                ? TenantDestination.InDatabase(chosen)
                : throw new InvalidOperationException(TenancyStrings.NoSuchShard(tenantId, chosen, open.Select(s => s.Name)));
        }
    }
}
