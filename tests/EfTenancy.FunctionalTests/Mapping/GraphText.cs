using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>What an object and those it reaches look like, whatever the order of their collections.</summary>
public static class GraphText
{
    private static readonly JsonSerializerOptions Json = new() { ReferenceHandler = ReferenceHandler.IgnoreCycles };

    public static string Of(object entity)
        => Sorted(JsonSerializer.SerializeToNode(entity, entity.GetType(), Json))!.ToJsonString();

    private static JsonNode? Sorted(JsonNode? node)
        => node switch
        {
            JsonArray array => new JsonArray([.. array.Select(Sorted).OrderBy(n => n?.ToJsonString(), StringComparer.Ordinal)]),
            JsonObject properties => new JsonObject(
                properties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
            _ => node?.DeepClone(),
        };
}
