using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.Planning;

namespace IndexOperator.Operator.Tests;

public sealed class UnreadableResourceTests
{
    private const string TooLarge = """
        {"apiVersion": "indexoperator.io/v1alpha1", "kind": "PretrainIndex",
         "metadata": {"name": "odd", "namespace": "a", "uid": "u-1", "generation": 2, "resourceVersion": "7"},
         "spec": {"build": {"timeout": "90m", "gpus": 99999999999}},
         "status": {"observedGeneration": 1, "current": {"version": "00000000000000000000"}}}
        """;

    [Fact]
    public void A_resource_that_the_schema_lets_through_but_no_type_can_hold_is_seen_all_the_same()
    {
        var read = JsonSerializer.Deserialize(TooLarge, Resources.PretrainIndexes.Item)!;

        Assert.Equal("odd", read.Metadata.Name);
        Assert.Equal("00000000000000000000", read.Status?.Current?.Version);
        Assert.Contains("gpus", read.Unreadable, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_status_says_which_field_to_correct_and_what_is_published_stays_available()
    {
        var read = JsonSerializer.Deserialize(TooLarge, Resources.PretrainIndexes.Item)!;

        var plan = Planner.Plan(new ObservedState { Index = read, Now = DateTimeOffset.UnixEpoch });

        var ready = plan.Status.Conditions!.Single(condition => condition.Type == ConditionTypes.Ready);
        Assert.Equal(("False", Reasons.InvalidSpec), (ready.Status, ready.Reason));
        Assert.Contains("spec.build.gpus", ready.Message, StringComparison.Ordinal);
        Assert.Equal("True", plan.Status.Conditions!.Single(condition => condition.Type == ConditionTypes.Available).Status);
        Assert.Empty(plan.Actions);
    }

    [Fact]
    public void A_readable_resource_is_read_by_its_contract()
    {
        var read = JsonSerializer.Deserialize(TooLarge.Replace("99999999999", "1", StringComparison.Ordinal), Resources.PretrainIndexes.Item)!;

        Assert.Null(read.Unreadable);
        Assert.Equal(TimeSpan.FromMinutes(90), read.Spec.Build.Timeout.Value);
    }
}
