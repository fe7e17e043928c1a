using System.Text.Json.Nodes;
using System.Xml.Linq;
using IndexOperator.Api;

namespace IndexOperator.TestSupport;

/// <summary>What each release wrote, kept by <c>hack/record-release.sh</c>: every later version reads it.</summary>
public static class Released
{
    /// <summary>The folder of the releases.</summary>
    public const string Folder = "tests/released";

    /// <summary>The releases, by the names of their folders.</summary>
    public static IReadOnlyList<string> Versions =>
        [.. Directory.GetDirectories(RepositoryRoot.PathOf(Folder)).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];

    /// <summary>The version of this checkout, as the name that its folder has or will have.</summary>
    public static string Present => $"v{XDocument.Load(RepositoryRoot.PathOf("Directory.Build.props")).Descendants("Version").Single().Value}";

    /// <summary>The commit that was tagged; null before that.</summary>
    public static string? Commit(string release) =>
        File.Exists(RepositoryRoot.PathOf($"{Folder}/{release}/commit")) ? Text(release, "commit").TrimEnd('\n') : null;

    /// <summary>A release's definition.</summary>
    public static JsonObject Crd(string release) => YamlText.Read(Text(release, "crd.yaml")).AsObject();

    /// <summary>A file of a release, as text.</summary>
    public static string Text(string release, string file) => RepositoryRoot.ReadText($"{Folder}/{release}/{file}");

    /// <summary>The objects in a file of a release.</summary>
    public static IReadOnlyList<JsonNode> Objects(string release, string file) => [.. YamlJson.ParseAll(Text(release, file)).OfType<JsonNode>()];

    /// <summary>A folder of a release, as the case of the planner that it was.</summary>
    public static GoldenCase Case(string release, string name) => new(RepositoryRoot.PathOf($"{Folder}/{release}/{name}"));
}
