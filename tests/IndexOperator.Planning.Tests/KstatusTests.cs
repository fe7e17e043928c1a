using System.Text.Json.Nodes;
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
        Assert.Equal(Document.Kstatus(shown), Kstatus.Of(shown.Object));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_status_is_whole_and_never_of_two_minds(string name)
    {
        var shown = ShownStatus.All.Single(shown => shown.Name == name);
        var (conditions, ready) = (shown.Status.Conditions!, shown.Condition(ConditionTypes.Ready)!);
        var (reconciling, stalled) = (shown.Condition(ConditionTypes.Reconciling)!, shown.Condition(ConditionTypes.Stalled)!);

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
        Assert.True(ready.Status != "True" || shown.Condition(ConditionTypes.Available)!.Status == "True", "Ready but not Available");
    }

    [Fact]
    public void A_newer_generation_is_in_progress_whatever_the_conditions_say()
    {
        var shown = ShownStatus.All.First(shown => shown.Condition(ConditionTypes.Ready)!.Status == "True").Object;
        Assert.Equal(Kstatus.Current, Kstatus.Of(shown));
        shown["metadata"]!["generation"] = (long)shown["metadata"]!["generation"]! + 1;
        Assert.Equal(Kstatus.InProgress, Kstatus.Of(shown));

        // As the API server stores a resource that nobody has looked at.
        shown["metadata"]!["generation"] = 1L;
        shown["status"] = new JsonObject { ["observedGeneration"] = -1L };
        Assert.Equal(Kstatus.InProgress, Kstatus.Of(shown));
    }

    [Theory]
    [InlineData("{metadata: {generation: 1}}", Kstatus.Current)]
    [InlineData("{metadata: {generation: 2}, status: {conditions: [{type: Ready, status: 'True'}]}}", Kstatus.Current)]
    [InlineData("{metadata: {generation: 2}, status: {observedGeneration: 2, conditions: [{type: Ready, status: Unknown}]}}", Kstatus.InProgress)]
    [InlineData("{metadata: {generation: 2}, status: {observedGeneration: 2, conditions: [{type: Stalled, status: 'True'}, {type: Reconciling, status: 'True'}, {type: Ready, status: 'True'}]}}", Kstatus.Failed)]
    [InlineData("{metadata: {generation: 2}, status: {observedGeneration: 2, conditions: [{type: Reconciling, status: 'True'}, {type: Stalled, status: 'True'}]}}", Kstatus.InProgress)]
    [InlineData("{metadata: {generation: 2, deletionTimestamp: '2026-11-20T08:00:00Z'}, status: {observedGeneration: 1}}", Kstatus.Terminating)]
    public void What_is_not_there_counts_as_kstatus_counts_it(string written, string verdict) => Assert.Equal(verdict, Kstatus.Of(YamlText.Read(written)));
}
