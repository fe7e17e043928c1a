namespace IndexOperator.E2E;

/// <summary>A full disk that a person frees.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private readonly FullDisk _disk;

    public FullDiskTests(Cluster cluster)
    {
        cluster.SkipUnlessThere();
        _disk = cluster.FullDisk;
        Cluster.Say(TestContext.Current.Test?.TestDisplayName ?? "");
    }

    [Fact]
    public async Task A_build_that_found_no_room_begins_again_by_itself_when_there_is_some()
    {
        var here = _disk.Scenario;
        var full = await _disk.Begun;
        var message = (string)Scenario.Condition(full, "Ready")!["message"]!;
        Assert.Contains("claim small", message, StringComparison.Ordinal);
        Assert.Contains("Free space", message, StringComparison.Ordinal);
        var retry = (DateTimeOffset)full["build"]!["nextRetryAt"]!;

        var status = await here.ReadyAsync("full", TimeSpan.FromMinutes(6) + Cluster.Patience); // the second attempt waits for 5 minutes
        Assert.Equal("Built", (string?)status["current"]!["outcome"]);
        Assert.True((DateTimeOffset)status["current"]!["builtAt"]! >= retry, $"{status["current"]!["builtAt"]} is before {retry}");
        Assert.Equal("2", (string?)Assert.Single(await here.JobsAsync("full"))["metadata"]!["annotations"]!["indexoperator.io/attempt"]);
        Assert.Single(await here.ToldAsync("full", "OutOfSpace"));
        // Nobody has touched the resource.
        var resource = await here.IndexAsync("full");
        Assert.Equal(1, (int?)resource["metadata"]!["generation"]);
        Assert.DoesNotContain("indexoperator.io/rebuild", resource["metadata"]!["annotations"]!.AsObject().Select(annotation => annotation.Key));
        Assert.Empty(here.Staging("small"));
        await Cluster.BuilderAsync("verify", here.VersionFolder(status, "small"));
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed && _disk is not null)
        {
            await _disk.Scenario.TellAsync();
        }
    }
}
