using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>The operator is killed between any two of its steps; the next one finishes the job as if nothing had happened.</summary>
public sealed class CrashTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private const string Name = "mix";

    [Theory]
    [InlineData("after the finalizer")]
    [InlineData("before the ConfigMap")]
    [InlineData("after the ConfigMap")]
    [InlineData("after the Job")]
    [InlineData("before the first status")]
    [InlineData("after the first status")]
    public async Task Killed_while_it_starts_a_build_it_starts_no_second_one(string point)
    {
        var (first, line) = await StartProxiedOperatorAsync(proxy =>
        {
            proxy.CutAfter = point switch
            {
                "after the finalizer" => IsFinalizer,
                "after the ConfigMap" => request => IsCreate(request, "configmaps"),
                "after the Job" => request => IsCreate(request, "jobs"),
                "after the first status" => IsStatus,
                _ => null,
            };
            proxy.CutBefore = point switch
            {
                "before the ConfigMap" => request => IsCreate(request, "configmaps"),
                "before the first status" => IsStatus,
                _ => null,
            };
        });
        await CreateAsync(Name, point.EndsWith("the ConfigMap", StringComparison.Ordinal) ? Specs.Wide : null);
        await KilledAsync(first, line);
        await StartOperatorAsync();
        await Player.EndAsync(await Player.PodAsync(Name), 0, Specs.Built());
        await FinishedOnceAsync();
    }

    [Fact]
    public async Task Killed_while_the_builder_runs_it_lets_it_run_on()
    {
        var (first, line) = await StartProxiedOperatorAsync();
        await CreateAsync(Name);
        var pod = await Player.PodAsync(Name);
        await Player.RunAsync(pod);
        await IndexAsync(Name, "seen to run", index => index.Status!.Build?.RunningSince is not null);
        line.Cut();
        await KilledAsync(first, line);
        await StartOperatorAsync();
        await Player.EndAsync(pod, 0, Specs.Built());
        await FinishedOnceAsync();
    }

    [Fact]
    public async Task Ended_while_no_operator_ran_the_build_is_published_by_the_next_one()
    {
        var (first, line) = await StartProxiedOperatorAsync();
        await CreateAsync(Name);
        var pod = await Player.PodAsync(Name);
        await Player.RunAsync(pod);
        await IndexAsync(Name, "seen to run", index => index.Status!.Build?.RunningSince is not null);
        line.Cut();
        await KilledAsync(first, line);
        await Player.EndAsync(pod, 0, Specs.Built());
        await UntilAsync("the Job to be complete", () => Jobs.Now.Single().Status?.Succeeded == 1);
        await StartOperatorAsync();
        await FinishedOnceAsync();
    }

    [Theory]
    [InlineData("before the last status")]
    [InlineData("after the last status")]
    public async Task Killed_while_it_publishes_it_publishes_once(string point)
    {
        var (first, line) = await StartProxiedOperatorAsync();
        await CreateAsync(Name);
        var pod = await Player.PodAsync(Name);
        await Player.RunAsync(pod);
        await IndexAsync(Name, "seen to run", index => index.Status!.Build?.RunningSince is not null);
        line.CutBefore = point.StartsWith("before", StringComparison.Ordinal) ? IsPublication : null;
        line.CutAfter = point.StartsWith("after", StringComparison.Ordinal) ? IsPublication : null;
        await Player.EndAsync(pod, 0, Specs.Built());
        await KilledAsync(first, line);
        await StartOperatorAsync();
        await FinishedOnceAsync();
    }

    [Theory]
    [InlineData("before the failure's status")]
    [InlineData("after the failure's status")]
    public async Task Killed_while_it_reports_a_failure_it_counts_it_once(string point)
    {
        var (first, line) = await StartProxiedOperatorAsync();
        await CreateAsync(Name);
        var pod = await Player.PodAsync(Name);
        await Player.RunAsync(pod);
        await IndexAsync(Name, "seen to run", index => index.Status!.Build?.RunningSince is not null);
        Func<SentRequest, bool> cut = request => IsStatus(request) && request.Body.Contains(Reasons.DataMissing, StringComparison.Ordinal);
        line.CutBefore = point.StartsWith("before", StringComparison.Ordinal) ? cut : null;
        line.CutAfter = point.StartsWith("after", StringComparison.Ordinal) ? cut : null;
        await Player.EndAsync(pod, 3, Specs.Failed(Reasons.DataMissing, "no such file"));
        await KilledAsync(first, line);
        await StartOperatorAsync();
        var stalled = await NotReadyAsync(Name, Reasons.DataMissing);
        Assert.Equal(1, stalled.Status!.Build!.Attempt);
        Assert.Single(JobsEver(Name));
        Assert.All(Told(Name), told => Assert.Equal(1, told.Times));
    }

    [Theory]
    [InlineData("before the finalizer goes")]
    [InlineData("after the finalizer went")]
    public async Task Killed_while_it_lets_a_deleted_resource_go_it_leaves_nothing(string point)
    {
        var (first, line) = await StartProxiedOperatorAsync();
        Player.SucceedAll();
        await CreateAsync(Name);
        await ReadyAsync(Name);
        line.CutBefore = point.StartsWith("before", StringComparison.Ordinal) ? IsFinalizer : null;
        line.CutAfter = point.StartsWith("after", StringComparison.Ordinal) ? IsFinalizer : null;
        await DeleteAsync(Name);
        await KilledAsync(first, line);
        await StartOperatorAsync();
        await GoneAsync(Name);
        await UntilAsync("no Job to be left", () => Jobs.Now.Count == 0, Collected);
        Assert.Single(JobsEver(Name));
        Assert.Empty(JobsEver(Name, BuildAttempt.CleanupTask));
    }

    private static bool IsCreate(SentRequest request, string plural) =>
        request.Method == "POST" && request.Path.Split('?')[0].EndsWith("/" + plural, StringComparison.Ordinal);

    private static bool IsStatus(SentRequest request) =>
        request.Method == "PATCH" && request.Path.Contains($"/pretrainindexes/{Name}/status", StringComparison.Ordinal);

    private static bool IsPublication(SentRequest request) => IsStatus(request) && request.Body.Contains("\"current\"", StringComparison.Ordinal);

    private static bool IsFinalizer(SentRequest request) =>
        request.Method == "PATCH" && request.Path.Split('?')[0].EndsWith($"/pretrainindexes/{Name}", StringComparison.Ordinal);

    private static async Task KilledAsync(OperatorUnderTest killed, ApiProxy line)
    {
        await line.WasCut.WaitAsync(Soon);
        await killed.KillAsync();
    }

    private async Task FinishedOnceAsync()
    {
        await ReadyAsync(Name);
        Assert.Single(JobsEver(Name));
        Assert.Single(Pods.Ever);
        Assert.All(Told(Name), told => Assert.Equal(1, told.Times));
        Assert.Distinct(Told(Name).Select(told => told.Reason));
    }
}
