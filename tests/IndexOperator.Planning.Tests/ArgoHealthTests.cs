using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>What Argo CD's health check makes of every status that the planner writes: config/argocd/health.lua in Lua, against the documents.</summary>
public sealed class ArgoHealthTests
{
    private const string Script = "config/argocd/health.lua";

    private static readonly StatusDocument Document = StatusDocument.Parse(RepositoryRoot.ReadText("docs/status.md"));

    // One run for all.
    private static readonly Lazy<Task<Dictionary<string, ArgoHealth>>> Answers = new(async () =>
        ShownStatus.All.Zip(await ArgoHealthCheck.RunAsync(Script, [.. ShownStatus.All.Select(shown => shown.Object)])).ToDictionary(pair => pair.First.Name, pair => pair.Second));

    public static TheoryData<string> Cases => new(ShownStatus.All.Select(shown => shown.Name));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_health_is_what_the_documents_say(string name)
    {
        var shown = ShownStatus.All.Single(shown => shown.Name == name);
        var ready = shown.Condition(ConditionTypes.Ready)!;
        Assert.Equal(new ArgoHealth(Expected(Document.Kstatus(shown), ready.Reason!), ready.Message), (await Answers.Value)[name]);
    }

    [Fact]
    public async Task All_four_healths_are_met()
    {
        var met = (await Answers.Value).Values.Select(answer => answer.Status!).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(["Degraded", "Healthy", "Progressing", "Suspended"], met);
    }

    [Fact]
    public async Task What_the_operator_has_not_looked_at_yet_is_progressing_whatever_the_conditions_say()
    {
        var ready = ShownStatus.All.First(shown => shown.Condition(ConditionTypes.Ready)!.Status == "True").Object;
        JsonNode Changed(Action<JsonNode> change)
        {
            var copy = ready.DeepClone();
            change(copy);
            return copy;
        }

        var answers = await ArgoHealthCheck.RunAsync(
            Script,
            [
                ready,
                Changed(item => item["metadata"]!["generation"] = (long)item["metadata"]!["generation"]! + 1),
                Changed(item => item["status"] = new JsonObject { ["observedGeneration"] = -1 }),
                Changed(item => item.AsObject().Remove("status")),
                Changed(item => item["status"]!["conditions"] = new JsonArray()),
                Changed(item => item["status"]!.AsObject().Remove("observedGeneration")),
            ]);

        Assert.Equal(["Healthy", "Progressing", "Progressing", "Progressing", "Progressing", "Progressing"], answers.Select(answer => answer.Status));
    }

    // The table of docs/gitops.md, which rests on that of docs/status.md.
    private static string Expected(string kstatus, string reason)
    {
        var rows = RepositoryRoot.ReadText("docs/gitops.md").ReplaceLineEndings("\n").Split('\n')
            .Select(line => line.Trim('|', ' ').Split('|').Select(cell => cell.Trim(' ', '`')).ToArray()).Where(cells => cells.Length == 4 && cells[0] == kstatus).ToList();
        return Assert.Single(rows, cells => cells[1] == reason || (cells[1] == "any other" && rows.All(other => other[1] != reason)))[2];
    }
}
