using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>Finds out whose config a text is, and reads it.</summary>
internal static class RunConfig
{
    private const int MaxDepth = 8;

    /// <summary>Reads a config in YAML or JSON.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is no config of NeMo 2 or Megatron-Bridge, or a value is not what it must be.</exception>
    public static RunSettings Read(string text, string source, RunContext context)
    {
        JsonNode? root;
        try
        {
            root = YamlJson.ParseAll(text) is [var only] ? only : throw Unreadable(source, "it holds no or several documents");
        }
        catch (ManifestException fault)
        {
            throw Unreadable(source, $"it is no YAML and no JSON ({fault.Message})");
        }

        if (Find(root, "", 0, IsBridge) is { } bridge)
        {
            return BridgeRun.Read(bridge, context);
        }

        return Find(root, "", 0, IsNeMo) is { } nemo
            ? NeMoRun.Read(nemo, context)
            : throw Unreadable(source, "it has neither NeMo's data.paths and trainer nor Megatron-Bridge's dataset and train");
    }

    private static bool IsBridge(JsonObject node) => node["dataset"] is JsonObject && node["train"] is JsonObject;

    private static bool IsNeMo(JsonObject node) => node["data"] is JsonObject data && (data.ContainsKey("paths") || data.ContainsKey("seq_length")) && node["trainer"] is JsonObject;

    /// <summary>The outermost mapping that fits: exports wrap the run in tasks and experiments.</summary>
    private static ConfigNode? Find(JsonNode? node, string path, int depth, Func<JsonObject, bool> fits)
    {
        if (node is JsonObject mapping && fits(mapping))
        {
            return new ConfigNode(path, mapping);
        }

        var children = depth == MaxDepth ? []
            : node is JsonObject inner ? inner.Select(field => (Path: path.Length == 0 ? field.Key : $"{path}.{field.Key}", field.Value))
            : node is JsonArray list ? list.Select((item, i) => (Path: $"{path}[{i}]", Value: item))
            : [];
        return children.Select(child => Find(child.Value, child.Path, depth + 1, fits)).FirstOrDefault(found => found is not null);
    }

    private static IndexingException Unreadable(string source, string why) => new(
        FailureReason.InvalidSpec,
        $"{source} is no config of a run: {why}. Give the YAML or JSON that NeMo-Run exports, Megatron-Bridge's ConfigContainer, or Megatron-LM's command line with --command.");
}
