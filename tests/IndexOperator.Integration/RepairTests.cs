using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>What is published is read again from time to time; a damaged version is built anew.</summary>
public sealed class RepairTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private const string What = "the checksum of a-GPTDataset-train-document_index.npy differs";
    private static readonly string Version = Specs.Version("content");

    [Fact]
    public async Task A_sound_version_is_read_again_and_says_since_when_it_is()
    {
        await StartPublishedAsync("1s");
        var published = (await GetAsync("mix")).Status!.Current!;
        var verified = await IndexAsync("mix", "verified twice more", index => index.Status!.Current!.VerifiedAt > published.VerifiedAt + TimeSpan.FromSeconds(1));
        Assert.True(verified.Is(ConditionTypes.Verified, "True", Reasons.ChecksumsMatch));
        Assert.True(verified.Is(ConditionTypes.Ready, "True"));
        Assert.Equal(published.BuiltAt, verified.Status!.Current!.BuiltAt);
        Assert.All(JobsEver("mix", BuildAttempt.CheckTask), job =>
        {
            // Nothing of the data is asked, so nothing of it is mounted.
            Assert.Equal(["--version-name", Version, "--skip-data", "--checksums"], ArgumentsOf(job).TakeLast(4));
            Assert.DoesNotContain(job.Spec.Template.Spec.Volumes, volume => volume.PersistentVolumeClaim?.ClaimName == Specs.DataClaim);
        });
        Assert.Single(JobsEver("mix"));
    }

    [Fact]
    public async Task A_damaged_version_is_told_with_who_runs_on_it_moved_aside_and_built_again()
    {
        await StartPublishedAsync("2s");
        await RunConsumerAsync(Specs.Consumer(Namespace, "train-0", "mix", Version));
        await IndexAsync("mix", "in use", index => index.Status!.Consumers?.Running == 1);
        Player.EndAll(_ => null);
        Player.Checks = pod => (0, Specs.Checked(pod, report => Specs.Damaged(report, What)));

        var pod = await Player.PodAsync("mix");
        var damaged = await IndexAsync("mix", "damaged", index => index.Is(ConditionTypes.Verified, "False", Reasons.VersionCorrupt));
        Assert.Equal(What, damaged.ConditionOf(ConditionTypes.Verified)!.Message);
        Assert.True(damaged.Is(ConditionTypes.Available, "False", Reasons.VersionCorrupt));
        Assert.True(damaged.Is(ConditionTypes.Ready, "False", Reasons.Building));
        Assert.True(damaged.Is(ConditionTypes.Reconciling, "True"));
        Assert.True(damaged.Is(ConditionTypes.Stalled, "False"));
        Assert.Contains("--repair", pod.Spec.Containers[0].Args);
        await ToldAsync("mix", Reasons.VersionCorrupt);
        var (_, note, times) = Assert.Single(Told("mix"), told => told.Reason == Reasons.VersionCorrupt);
        Assert.Equal($"Version {Version} is damaged and is built again; what is left of it is kept in .quarantine/. Running with it: train-0. {What}", note);
        Assert.Equal(1, times);

        Player.Checks = found => (0, Specs.Checked(found));
        await Player.EndAsync(pod, 0, (BuildReport.TryParse(Specs.Built(), out var report) ? report with { Quarantined = $".quarantine/{Version}-1" } : report).ToJson());
        var mended = await ReadyAsync("mix");
        Assert.Equal(Version, mended.Status!.Current!.Version);
        Assert.True(mended.Is(ConditionTypes.Available, "True"));
        Assert.True(mended.Is(ConditionTypes.Verified, "True"));
        Assert.True(mended.Is(ConditionTypes.DataCurrent, "True"));
        Assert.Null(mended.Status.Change);
        Assert.Null(mended.Status.Previous);
        await ToldAsync("mix", "Quarantined");
        Assert.Contains(Told("mix"), told => told.Note.Contains($".quarantine/{Version}-1 on claim npy-index", StringComparison.Ordinal));

        // It is read again from here on, and stays what it is.
        await IndexAsync("mix", "read again", index => index.Is(ConditionTypes.Verified, "True", Reasons.ChecksumsMatch));
        Assert.Equal(2, JobsEver("mix").Count);
    }

    [Fact]
    public async Task A_version_damaged_twice_is_built_twice()
    {
        await StartPublishedAsync("2s");
        for (var builds = 2; builds <= 3; builds++)
        {
            // By one look only: the next may come before this test has seen the build.
            var found = 0;
            Player.Checks = pod => (0, Specs.Checked(pod, report => Interlocked.Increment(ref found) == 1 ? Specs.Damaged(report, What) : report));
            await UntilAsync($"build {builds}", () => JobsEver("mix").Count == builds);
            await IndexAsync("mix", "sound", index => index.Is(ConditionTypes.Ready, "True") && index.Is(ConditionTypes.Verified, "True", Reasons.ChecksumsMatch) && index.Status!.Change is null);
        }

        Assert.Equal(3, JobsEver("mix").Count);
        Assert.Null((await GetAsync("mix")).Status!.Previous);
    }

    private async Task StartPublishedAsync(string interval)
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix", spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse("0") }, Verify = new VerifySpec { Interval = GoDuration.Parse(interval) } });
        await ReadyAsync("mix");
    }
}
