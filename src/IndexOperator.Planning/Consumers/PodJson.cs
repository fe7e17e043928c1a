using System.Text;
using System.Text.Json.Nodes;

namespace IndexOperator.Planning;

/// <summary>Reading and adding to JSON whose shape has been checked.</summary>
internal static class PodJson
{
    /// <summary>A text member; null where it is absent or no text.</summary>
    public static string? Text(JsonObject? parent, string name) =>
        parent?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>Whether a member is <c>true</c>.</summary>
    public static bool IsTrue(JsonObject parent, string name) => parent[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    /// <summary>The objects of a list; none where it is absent.</summary>
    public static IEnumerable<JsonObject> Objects(JsonObject? parent, string name) => (parent?[name] as JsonArray ?? []).OfType<JsonObject>();

    /// <summary>The list, made where it is absent.</summary>
    public static JsonArray ListOf(JsonObject parent, string name)
    {
        if (parent[name] is not JsonArray list)
        {
            parent[name] = list = [];
        }

        return list;
    }

    /// <summary>The object, made where it is absent.</summary>
    public static JsonObject ObjectOf(JsonObject parent, string name)
    {
        if (parent[name] is not JsonObject found)
        {
            parent[name] = found = [];
        }

        return found;
    }

    /// <summary>A label of a pod.</summary>
    public static string? Label(JsonObject pod, string name) => Text((pod["metadata"] as JsonObject)?["labels"] as JsonObject, name);

    /// <summary>An annotation of a pod.</summary>
    public static string? Annotation(JsonObject pod, string name) => Text((pod["metadata"] as JsonObject)?["annotations"] as JsonObject, name);

    /// <summary>Text from outside, in quotes and short, for a message.</summary>
    public static string Quote(string text) => $"\"{Clip.Characters(Clip.Plain(text), 200)}\"";

    /// <summary>A path as the kubelet takes it: without double and trailing slashes and without ".".</summary>
    public static string Clean(string? path)
    {
        var plain = string.Join('/', (path ?? "").Split('/').Where(part => part is not ("" or ".")));
        return path?.StartsWith('/') == true ? "/" + plain : plain;
    }

    /// <summary>
    /// A literal in a field that Kubernetes expands: <c>$(</c> begins a reference to a variable and <c>$$</c> is a dollar, so a dollar
    /// before either is doubled.
    /// </summary>
    public static string Literal(string text)
    {
        var literal = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            literal.Append(text[at]);
            if (text[at] == '$' && at + 1 < text.Length && (text[at + 1] is '$' or '('))
            {
                literal.Append('$');
            }
        }

        return literal.ToString();
    }
}
