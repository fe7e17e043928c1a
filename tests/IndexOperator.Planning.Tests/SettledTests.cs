using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

public sealed class SettledTests
{
    [Fact]
    public void A_resource_whose_newest_spec_is_reported_on_and_that_awaits_no_build_is_settled() =>
        Assert.True(Planner.IsSettled(With(new PretrainIndexStatus { ObservedGeneration = 1 })));

    [Fact]
    public void A_resource_without_a_status_is_not() => Assert.False(Planner.IsSettled(With(null)));

    [Fact]
    public void A_resource_whose_spec_changed_since_is_not() => Assert.False(Planner.IsSettled(With(new PretrainIndexStatus { ObservedGeneration = 0 })));

    [Fact]
    public void A_resource_that_awaits_a_build_is_not() =>
        Assert.False(Planner.IsSettled(With(new PretrainIndexStatus { ObservedGeneration = 1, Build = new BuildStatus() })));

    [Fact]
    public void A_resource_that_is_being_deleted_is_not()
    {
        var index = With(new PretrainIndexStatus { ObservedGeneration = 1 });
        index.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        Assert.False(Planner.IsSettled(index));
    }

    private static PretrainIndex With(PretrainIndexStatus? status)
    {
        var index = Given.Index();
        index.Status = status;
        return index;
    }
}
