using System.Text.Json;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>
/// Every folder in golden/ is a case: observed.yaml is what a cluster shows, plan.yaml and status.yaml are what the planner makes of it.
/// A bug report becomes a folder. UPDATE_GOLDEN=1 rewrites the outputs.
/// </summary>
public sealed class GoldenTests
{
    private static readonly Lazy<IReadOnlyDictionary<string, GoldenCase>> Folders =
        new(() => GoldenCase.All("tests/IndexOperator.Planning.Tests/golden").ToDictionary(folder => folder.Name));

    public static TheoryData<string> Cases => new(Folders.Value.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_plan_for_what_is_observed(string name)
    {
        var folder = Folders.Value[name];
        var observed = Observed(folder);

        var plan = Planner.Plan(observed);

        var json = JsonSerializer.SerializeToNode(plan, PlanningJsonContext.Default.Plan)!.AsObject();
        Assert.True(json.Remove("status", out var status));
        folder.MatchYaml("plan.yaml", json);
        folder.MatchYaml("status.yaml", status);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_status_is_written_once_and_then_stays_as_it_is(string name)
    {
        var observed = Observed(Folders.Value[name]);

        var first = Planner.Plan(observed);
        // As the API server gives it back, with times in whole seconds.
        var stored = JsonSerializer.Deserialize(JsonSerializer.Serialize(With(observed, first.Status).Index, PlanningJsonContext.Default.PretrainIndex), PlanningJsonContext.Default.PretrainIndex)!;
        var second = Planner.Plan(observed with { Index = stored });

        if (first.Events.Any(told => told.Reason == "CleanupGivenUp"))
        {
            Assert.IsType<DetachFinalizer>(Assert.Single(second.Actions));
            return;
        }

        if (first.Status.Current != observed.Index.Status?.Current)
        {
            // What a delivery leaves to be removed is removed once the delivery is written down.
            second = second with { Actions = [.. second.Actions.Where(action => action is not CreateJob)], LookAgainAfter = first.LookAgainAfter };
        }

        // Nothing but the status was applied: the same actions are asked for again, under the same names.
        Assert.Equal(Text(first with { Events = [] }, omitStatus: true), Text(second with { Events = [] }, omitStatus: true));
        Assert.Equal(Conditions(first), Conditions(second));
    }

    // A case that says nothing of the binding has the one that its status asks for.
    private static ObservedState Observed(GoldenCase folder)
    {
        var json = folder.ReadYaml("observed.yaml").AsObject();
        var observed = json.Deserialize(PlanningJsonContext.Default.ObservedState)!;
        return json.ContainsKey("binding") ? observed : observed with { Binding = Given.Binding(observed.Index) };
    }

    private static ObservedState With(ObservedState observed, Api.PretrainIndexStatus status) => observed with
    {
        Index = new Api.PretrainIndex { Metadata = observed.Index.Metadata, Spec = observed.Index.Spec, Status = status },
    };

    private static string Text(Plan plan, bool omitStatus) =>
        JsonSerializer.Serialize(omitStatus ? plan with { Status = new() } : plan, PlanningJsonContext.Default.Plan);

    private static IEnumerable<string> Conditions(Plan plan) =>
        plan.Status.Conditions!.Select(condition => $"{condition.Type}={condition.Status} {condition.Reason} since {condition.LastTransitionTime:O}");
}
