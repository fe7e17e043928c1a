using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Builder.CheckRun;
using IndexOperator.Builder.Commands;
using IndexOperator.Indexing;
using IndexOperator.TestSupport;

namespace IndexOperator.Builder.Tests;

/// <summary>
/// Command lines and configs as people write them, each in a folder: index.yaml, command.txt (a script), words.txt (an
/// argument a line) or config.yaml, options.txt, and what is said in expected.txt.
/// </summary>
public sealed class CheckRunTests(CheckRunTests.Corpus corpus) : IClassFixture<CheckRunTests.Corpus>
{
    private const string Folder = "tests/IndexOperator.Builder.Tests/golden/check-run";

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(RepositoryRoot.PathOf(Folder)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_case_is_told_as_expected(string name)
    {
        var (code, text) = Run(name);
        var folder = RepositoryRoot.PathOf(Folder);
        new GoldenFolder(Folder).AssertText($"{name}/expected.txt", $"exit code {code}\n{text.Replace(folder, "…", StringComparison.Ordinal).Replace(corpus.Path, "…", StringComparison.Ordinal)}\n");
        Assert.Equal(name.Contains("unreadable", StringComparison.Ordinal) ? 2 : name.Contains("miss", StringComparison.Ordinal) ? 1 : 0, code);
    }

    [Fact]
    public void There_are_hits_and_misses_of_every_framework()
    {
        foreach (var framework in new[] { "nemo-", "bridge-", "" })
        {
            Assert.Contains(Cases, name => name.Data.StartsWith(framework + "hit", StringComparison.Ordinal));
            Assert.Contains(Cases, name => name.Data.StartsWith(framework + "miss", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("nemo-hit")]
    [InlineData("nemo-hit-whole-validation-set")]
    [InlineData("bridge-hit")]
    [InlineData("bridge-hit-per-split")]
    public void A_config_with_anything_in_any_place_is_read_or_refused(string name)
    {
        string[] values = ["null", "true", "-1", "0", "1.5", "1e300", "9223372036854775807", "\"\"", "\"x\"", "\"${a}\"", "[]", "[null]", "[[]]", "[1,2]", "{}", "{\"_target_\":1}"];
        var text = YamlJson.ParseAll(File.ReadAllText(RepositoryRoot.PathOf($"{Folder}/{name}/config.yaml")))[0]!.ToJsonString();
        var index = RepositoryRoot.PathOf($"{Folder}/{name}/index.yaml");
        var places = Places(JsonNode.Parse(text)!, []).ToList();
        Assert.True(places.Count > 15);
        using var workspace = new Workspace();
        foreach (var (place, value) in places.SelectMany(place => values.Select(value => (place, value))))
        {
            var config = JsonNode.Parse(text)!;
            var parent = place[..^1].Aggregate(config, (node, step) => step is int i ? node[i]! : node[(string)step]!);
            if (place[^1] is int at)
            {
                parent[at] = JsonNode.Parse(value);
            }
            else
            {
                parent[(string)place[^1]] = JsonNode.Parse(value);
            }

            File.WriteAllText(workspace["config.json"], config.ToJsonString());
            try
            {
                _ = RunCheck.Of(new RunCheckInput { Resource = index, Maps = ["/data=" + corpus.Path], Config = workspace["config.json"] }).Describe();
            }
            catch (IndexingException refusal)
            {
                Assert.NotEmpty(refusal.Message);
            }
        }
    }

    private static IEnumerable<object[]> Places(JsonNode? node, object[] path) => node switch
    {
        JsonObject mapping => mapping.SelectMany(field => Places(field.Value, [.. path, field.Key])).Append(path).Where(place => place.Length > 0),
        JsonArray list => list.SelectMany((item, i) => Places(item, [.. path, i])).Append(path).Where(place => place.Length > 0),
        _ => [path],
    };

    private (int Code, string Text) Run(string name)
    {
        string PathOf(string file) => RepositoryRoot.PathOf($"{Folder}/{name}/{file}");
        var options = File.Exists(PathOf("options.txt"))
            ? ShellText.Commands(File.ReadAllText(PathOf("options.txt")).Replace("{case}", RepositoryRoot.PathOf($"{Folder}/{name}"), StringComparison.Ordinal), new Dictionary<string, string>())[0].Select(word => word.Text)
            : [];
        string[] source = File.Exists(PathOf("config.yaml")) ? ["--config", PathOf("config.yaml")]
            : File.Exists(PathOf("command.txt")) ? ["--command", PathOf("command.txt")]
            : ["--", .. File.ReadAllLines(PathOf("words.txt"))];
        var parsed = CheckRunCommand.Create().Parse(["-f", PathOf("index.yaml"), "--map", "/data=" + corpus.Path, .. options, .. source]);
        Assert.Empty(parsed.Errors);
        try
        {
            var report = RunCheck.Of(CheckRunCommand.Input(parsed));
            return (report.Hit ? 0 : 1, report.Describe());
        }
        catch (IndexingException failure)
        {
            return (ExitCodes.For(failure.Reason), $"{failure.Reason}: {failure.Message}");
        }
    }

    /// <summary>The data of all cases.</summary>
    public sealed class Corpus : IDisposable
    {
        private readonly Workspace _workspace = new();

        public Corpus()
        {
            _workspace.WriteText("a", 400);
            _workspace.WriteText("b", 300);
        }

        public string Path => _workspace["corpus"];

        public void Dispose() => _workspace.Dispose();
    }
}
