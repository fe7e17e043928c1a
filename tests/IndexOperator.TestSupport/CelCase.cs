using System.Text.Json.Nodes;

namespace IndexOperator.TestSupport;

/// <summary>An object that breaks one validation rule of the definition: Data/cel-cases.yaml.</summary>
/// <param name="Rule">The rule's message.</param>
/// <param name="Item">The object.</param>
/// <param name="IsUpdate">Whether <see cref="Minimal"/> is stored before.</param>
/// <param name="With">Messages of rules that cannot but be broken together with it.</param>
public sealed record CelCase(string Rule, JsonObject Item, bool IsUpdate, IReadOnlyList<string> With)
{
    /// <summary>The object that breaks no rule, with required fields only.</summary>
    public static JsonObject Minimal() => YamlText.Read("""
        apiVersion: indexoperator.io/v1alpha1
        kind: PretrainIndex
        metadata: {name: minimal}
        spec:
          data: {claimName: corpus, mountPath: /data, blend: [{prefix: /data/web_text_document}]}
          dataset: {sequenceLength: 4096, split: "900,50,50", tokenizer: {preset: NeMoAutoTokenizer}}
          cache: {claimName: npy-index}
        """).AsObject();

    /// <summary>All cases.</summary>
    public static IReadOnlyList<CelCase> All() => [.. YamlText.Read(RepositoryRoot.ReadText("tests/IndexOperator.TestSupport/Data/cel-cases.yaml")).AsArray().Select(item => new CelCase(
        (string)item!["rule"]!,
        Patched(Minimal(), item["patch"]!.AsObject()),
        (bool?)item["update"] ?? false,
        [.. (item["with"]?.AsArray() ?? []).Select(message => (string)message!)]))];

    private static JsonObject Patched(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is JsonObject inner && target[name] is JsonObject existing)
            {
                Patched(existing, inner);
            }
            else if (value is null)
            {
                target.Remove(name);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }

        return target;
    }
}
