using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>A status that the planner makes of a golden case or an example, with the events told beside it.</summary>
/// <param name="Name">The case.</param>
/// <param name="Index">The resource as it was observed.</param>
/// <param name="Status">Its new status.</param>
/// <param name="Events">What is told.</param>
internal sealed record ShownStatus(string Name, PretrainIndex Index, PretrainIndexStatus Status, IReadOnlyList<PlannedEvent> Events)
{
    private static readonly Lazy<IReadOnlyList<ShownStatus>> Found = new(() => [.. GoldenCase.All("tests/IndexOperator.Planning.Tests/golden").Select(Golden), .. StatusExamples.All().Select(Example)]);

    /// <summary>All golden cases and examples.</summary>
    public static IReadOnlyList<ShownStatus> All => Found.Value;

    /// <summary>The resource as an API server shows it, with the new status.</summary>
    public JsonNode Object => JsonSerializer.SerializeToNode(
        new PretrainIndex { Metadata = Index.Metadata, Spec = Index.Spec, Status = Status }, PlanningJsonContext.Default.PretrainIndex)!;

    /// <summary>A condition of the new status.</summary>
    public Condition? Condition(string type) => Status.Conditions!.FirstOrDefault(condition => condition.Type == type);

    /// <summary>Every condition as type, status and reason.</summary>
    public IEnumerable<(string Type, string Status, string Reason)> Triples => Status.Conditions!.Select(condition => (condition.Type!, condition.Status!, condition.Reason!));

    private static ShownStatus Golden(GoldenCase folder) => new(
        folder.Name,
        folder.ReadYaml("observed.yaml").Deserialize(PlanningJsonContext.Default.ObservedState)!.Index,
        folder.ReadYaml("status.yaml").Deserialize(PlanningJsonContext.Default.PretrainIndexStatus)!,
        [.. (folder.ReadYaml("plan.yaml")["events"] as JsonArray ?? []).Select(told => told.Deserialize(PlanningJsonContext.Default.PlannedEvent)!)]);

    private static ShownStatus Example((string Name, ObservedState Observed) example)
    {
        var plan = Planner.Plan(example.Observed);
        return new ShownStatus(example.Name, example.Observed.Index, plan.Status, plan.Events);
    }
}
