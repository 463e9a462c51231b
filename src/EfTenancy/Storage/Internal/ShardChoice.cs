using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace EfTenancy.Storage.Internal;

/// <summary>Ways to choose a shard. The same in every process and version: an assignment may be worked out again before it is stored.</summary>
public static class ShardChoice
{
    public static string ByHash(string tenantId, IReadOnlyList<TenantShard> shards)
        => shards[(int)(BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(tenantId))) % (ulong)shards.Count)].Name;

    public static string Smallest(string tenantId, IReadOnlyList<TenantShard> shards)
        => shards.MinBy(s => s.Tenants)!.Name;
}
