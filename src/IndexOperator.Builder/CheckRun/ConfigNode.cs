using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>A mapping of a config, with errors that name the place.</summary>
/// <param name="Path">The mapping's place, for example <c>trainer</c>.</param>
/// <param name="Fields">Its fields.</param>
internal sealed record ConfigNode(string Path, JsonObject Fields)
{
    /// <summary>The value of a field; null when it is not given or null.</summary>
    public JsonNode? this[string name] => Fields.TryGetPropertyValue(name, out var value) ? value : null;

    /// <summary>Whether a field is given, null included.</summary>
    public bool Has(string name) => Fields.ContainsKey(name);

    /// <summary>A field's place.</summary>
    public string At(string name) => Path.Length == 0 ? name : $"{Path}.{name}";

    /// <summary>The mapping in a field; an empty one when it is not given.</summary>
    public ConfigNode Child(string name) => new(At(name), this[name] as JsonObject ?? []);

    /// <summary>A text; null when it is not given.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is something else.</exception>
    public string? Text(string name) => this[name] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Known(name, value.GetValue<string>()),
        var other => throw Wrong(name, other, "a text"),
    };

    /// <summary>A whole number; null when it is not given.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is something else.</exception>
    public long? Whole(string name) => this[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<long>(out var whole) => whole,
        JsonValue value when value.TryGetValue<double>(out var number) && number == Math.Floor(number) && Math.Abs(number) < 1e15 => (long)number,
        var other => throw Wrong(name, other, "a whole number"),
    };

    /// <summary>A number; null when it is not given.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is something else.</exception>
    public double? Number(string name) => this[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<double>(out var number) => number,
        JsonValue value when value.TryGetValue<long>(out var whole) => whole,
        var other => throw Wrong(name, other, "a number"),
    };

    /// <summary>Yes or no; null when it is not given.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is something else.</exception>
    public bool? Flag(string name) => this[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        var other => throw Wrong(name, other, "true or false"),
    };

    /// <summary>Texts and numbers of a list, as texts.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is no list of such.</exception>
    public IReadOnlyList<string> Items(string name, JsonNode? list) => list is JsonArray array
        ? [.. array.Select(item => item is JsonValue value
            ? Known(name, value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : Python(value))
            : throw Wrong(name, item, "a list of texts and numbers"))]
        : throw Wrong(name, list, "a list");

    /// <summary>The failure of a field that is not what it must be.</summary>
    public IndexingException Wrong(string name, JsonNode? value, string wanted)
    {
        const int Longest = 100;
        var text = value?.ToJsonString() ?? "null";
        return new IndexingException(FailureReason.InvalidSpec, $"The run's config: {At(name)} is {(text.Length > Longest ? text[..Longest] + "…" : text)}, and must be {wanted}.");
    }

    private static string Python(JsonValue value) => value.TryGetValue<long>(out var whole) ? whole.ToString(CultureInfo.InvariantCulture)
        : value.TryGetValue<double>(out var number) ? PythonFloat.Repr(number)
        : value.ToJsonString();

    /// <summary>What OmegaConf would put in for <c>${…}</c> is not known.</summary>
    private string Known(string name, string text) => text.Contains("${", StringComparison.Ordinal)
        ? throw new IndexingException(FailureReason.InvalidSpec, $"The run's config: {At(name)} is \"{text}\", which is filled in later. Give the config with its values (for OmegaConf: OmegaConf.resolve).")
        : text;
}
