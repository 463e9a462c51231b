using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Npgsql.EntityFrameworkCore.PostgreSQL.ValueGeneration.Internal;

namespace EfTenancy.Storage.Internal;

/// <summary>Blocks of ids that were fetched from a sequence (HiLo), for each schema: the provider tells databases apart only.</summary>
#pragma warning disable EF1001 // The provider's cache of sequence states has no public hook.
public class TenancyValueGeneratorCache(ValueGeneratorCacheDependencies dependencies) : NpgsqlValueGeneratorCache(dependencies)
{
    private readonly ConcurrentDictionary<(string Source, string Schema, string Sequence), NpgsqlSequenceValueGeneratorState> _states = new();

    public override NpgsqlSequenceValueGeneratorState GetOrAddSequenceState(IProperty property, IRelationalConnection connection)
        => connection is TenancyRelationalConnection { SchemaOfTenant: { } schema }
            && property.FindHiLoSequence() is { Schema: null } sequence
                ? _states.GetOrAdd(
                    ($"{connection.DbConnection.DataSource}/{connection.DbConnection.Database}", schema, sequence.Name),
                    _ => new NpgsqlSequenceValueGeneratorState(sequence))
                : base.GetOrAddSequenceState(property, connection);
}
#pragma warning restore EF1001
