using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>What kstatus makes of every status that the planner writes, and what of the status it relies on.</summary>
public sealed class KstatusTests
{
    private static readonly StatusDocument Document = StatusDocument.Parse(RepositoryRoot.ReadText("docs/status.md"));

    public static TheoryData<string> Cases => new(ShownStatus.All.Select(shown => shown.Name));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Kstatus_says_what_the_document_says(string name)
    {
        var shown = ShownStatus.All.Single(shown => shown.Name == name);
        var ready = Condition(shown, ConditionTypes.Ready)!;
        var rows = Document.States.Where(row => row.Conditions[0].Type == ConditionTypes.Ready && row.Reasons.Contains(ready.Reason!) && row.Conditions.All(pair => Condition(shown, pair.Type)?.Status == pair.Status)).ToList();

        Assert.True(rows.Count > 0, $"no row of docs/status.md is about Ready={ready.Status} {ready.Reason} as in {name}");
        Assert.All(rows, row => Assert.Equal(row.Kstatus, Kstatus(shown.Index.Metadata.DeletionTimestamp is not null, shown.Index.Metadata.Generation, shown.Status)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_status_is_whole_and_never_of_two_minds(string name)
    {
        var shown = ShownStatus.All.Single(shown => shown.Name == name);
        var (conditions, ready) = (shown.Status.Conditions!, Condition(shown, ConditionTypes.Ready)!);
        var (reconciling, stalled) = (Condition(shown, ConditionTypes.Reconciling)!, Condition(shown, ConditionTypes.Stalled)!);

        Assert.Equal(conditions.Count, conditions.DistinctBy(condition => condition.Type).Count());
        Assert.All(conditions, condition =>
        {
            Assert.True(condition is { Type: not null, Reason.Length: > 0, Message.Length: > 0, ObservedGeneration: not null, LastTransitionTime: not null }, condition.ToString());
            Assert.Contains(condition.Status, (string?[])["True", "False", "Unknown"]);
        });
        Assert.Equal(shown.Index.Metadata.Generation, shown.Status.ObservedGeneration);
        Assert.All(conditions.Where(condition => condition.Type is ConditionTypes.Ready or ConditionTypes.Reconciling or ConditionTypes.Stalled), condition => Assert.Equal(shown.Index.Metadata.Generation, condition.ObservedGeneration));
        Assert.True(new[] { ready, reconciling, stalled }.Count(condition => condition.Status == "True") <= 1, $"{ready.Status} {reconciling.Status} {stalled.Status}");
        Assert.All(new[] { reconciling, stalled }.Where(condition => condition.Status == "True"), condition => Assert.Equal((ready.Reason, ready.Message), (condition.Reason, condition.Message)));
        Assert.Equal(shown.Status.Current is not null, conditions.Any(condition => condition.Type == ConditionTypes.Verified));
        Assert.True(ready.Status != "True" || Condition(shown, ConditionTypes.Available)!.Status == "True", "Ready but not Available");
    }

    [Fact]
    public void A_newer_generation_is_in_progress_whatever_the_conditions_say()
    {
        var shown = ShownStatus.All.First(shown => Condition(shown, ConditionTypes.Ready)!.Status == "True");
        Assert.Equal("Current", Kstatus(isGoing: false, shown.Index.Metadata.Generation, shown.Status));
        Assert.Equal("InProgress", Kstatus(isGoing: false, shown.Index.Metadata.Generation + 1, shown.Status));
        Assert.Equal("InProgress", Kstatus(isGoing: false, 1, new PretrainIndexStatus { ObservedGeneration = -1 }));
    }

    private static Condition? Condition(ShownStatus shown, string type) => shown.Status.Conditions!.FirstOrDefault(condition => condition.Type == type);

    // As kstatus does: the first of the two abnormal conditions in the list wins, and both beat Ready.
    private static string Kstatus(bool isGoing, long? generation, PretrainIndexStatus status)
    {
        if (isGoing)
        {
            return "Terminating";
        }

        if (status.ObservedGeneration != generation)
        {
            return "InProgress";
        }

        var conditions = status.Conditions ?? [];
        return conditions.FirstOrDefault(condition => condition is { Type: ConditionTypes.Reconciling or ConditionTypes.Stalled, Status: "True" })?.Type switch
        {
            ConditionTypes.Reconciling => "InProgress",
            ConditionTypes.Stalled => "Failed",
            _ => conditions.Any(condition => condition is { Type: ConditionTypes.Ready, Status: "True" }) ? "Current" : "InProgress",
        };
    }
}
