using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>What others write is not believed further than it can be checked.</summary>
public sealed class HostileInputTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Theory]
    [InlineData(0, "text")]
    [InlineData(1, "text")]
    [InlineData(1, "emoji")]
    [InlineData(0, "climbing version")]
    [InlineData(0, "deep JSON")]
    public async Task Garbage_in_the_termination_message_is_a_crash_and_no_version(int exitCode, string kind)
    {
        var passes = Keep(new Passes(Namespace));
        await StartOperatorAsync();
        await CreateAsync("mix");
        var message = kind switch
        {
            "text" => string.Concat(Enumerable.Repeat("\u0001\"\\<é\n", 512))[..3000],
            "emoji" => "x" + string.Concat(Enumerable.Repeat("😀", 1000)),
            "deep JSON" => new string('[', 4096),
            _ => Specs.Built().Replace(Specs.Version("content"), "../../../../etc/shadow", StringComparison.Ordinal),
        };
        await Player.EndAsync(await Player.PodAsync("mix"), exitCode, message);
        var failed = await NotReadyAsync("mix", Reasons.BuilderCrashed);
        Assert.Null(failed.Status!.Current);
        Assert.True(failed.ConditionOf(ConditionTypes.Ready)!.Message!.Length < 3000);
        await ToldAsync("mix", Reasons.BuilderCrashed);

        // It is as quiet afterwards as after any failure: half a character would make every pass look like news.
        await LookAgainAsync(passes, "settle", ["mix"]);
        var before = await GetAsync("mix");
        await LookAgainAsync(passes, "once", ["mix"]);
        Assert.Equal(before.Metadata.ResourceVersion, (await GetAsync("mix")).Metadata.ResourceVersion);
        Assert.All(Told("mix"), told => Assert.Equal(1, told.Times));
    }

    [Fact]
    public async Task A_foreign_Job_with_our_labels_is_neither_believed_nor_touched()
    {
        var index = await CreateAsync("mix");
        var wanted = WantedBuild.Of(index);
        var foreign = ForeignJob("foreign", index);
        foreign.Metadata.Annotations = new Dictionary<string, string> { [Annotations.BuildKey] = wanted.BuildKey, [Annotations.JobKey] = wanted.JobKey, [Annotations.Attempt] = "1" };
        await Client.CreateAsync(KnownResources.Jobs, foreign, TestContext.Current.CancellationToken);
        var pod = await Player.PodAsync("mix");
        await Player.EndAsync(pod, 0, Specs.Built("forged"));
        await UntilAsync("the foreign Job to be complete", () => Jobs.Now.Single().Status?.Succeeded == 1);

        await StartOperatorAsync();
        await Player.EndAsync(await Player.PodAsync("mix"), 0, Specs.Built("real"));
        Assert.Equal(Specs.Version("real"), (await ReadyAsync("mix")).Status!.Current!.Version);
        Assert.Contains(Jobs.Now, job => job.Metadata.Name == "foreign" && job.Metadata.DeletionTimestamp is null);
    }

    [Fact]
    public async Task A_foreign_Job_under_our_name_is_told_and_left_alone()
    {
        var index = await CreateAsync("mix");
        var name = WantedBuild.Of(index).JobName(index, 1);
        var foreign = ForeignJob(name, index);
        foreign.Metadata.Labels = null;
        foreign.Spec.Template.Metadata.Labels = null;
        await Client.CreateAsync(KnownResources.Jobs, foreign, TestContext.Current.CancellationToken);
        await StartOperatorAsync();
        var stuck = await NotReadyAsync("mix", Reasons.CreateFailed);
        Assert.Contains(name, stuck.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Null(Assert.Single(Jobs.Now).Metadata.DeletionTimestamp);

        Player.SucceedAll();
        await Plane.KubectlAsync("delete", "job", name, "-n", Namespace);
        await IndexAsync("mix", "Ready", found => found.Is(ConditionTypes.Ready, "True"), Collected);
    }

    [Fact]
    public async Task Nonsense_in_annotations_costs_a_Job_at_most()
    {
        await StartOperatorAsync();
        var index = Specs.Index(Namespace, "mix");
        index.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Rebuild] = string.Concat(Enumerable.Repeat("\"\\\n😀", 2000)), [Annotations.Attempt] = "-1" };
        await CreateAsync(index);
        await Player.PodAsync("mix");
        var job = JobsEver("mix").Single().Metadata.Name;
        await Plane.KubectlAsync(
            "annotate", "job", job, "--overwrite", "-n", Namespace, $"{Annotations.Attempt}=999999999999999999999", $"{Annotations.JobKey}=nonsense", $"{Annotations.BuildKey}=../..");
        await UntilAsync("a Job that says what it builds", () => Jobs.Now.Any(found => found.Metadata.DeletionTimestamp is null && found.Metadata.Annotations[Annotations.Attempt] == "1"));
        await UntilAsync("the changed Job's pod to be gone", () => Pods.Now.Count(found => found.Metadata.DeletionTimestamp is null) == 1 && Pods.Ever.Count == 2);
        await Player.EndAsync(await Player.PodAsync("mix"), 0, Specs.Built());
        await ReadyAsync("mix");
    }

    [Fact]
    public async Task A_blend_of_4000_datasets_is_built_like_any_other()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        var index = await CreateAsync("wide", Specs.Wide);
        await ReadyAsync("wide");
        var job = Assert.Single(JobsEver("wide"));
        var spec = Assert.Single(ConfigMaps.Now, map => map.Metadata.Labels?.GetValueOrDefaultOf(Labels.Task) == Planning.BuildAttempt.BuildTask);
        Assert.Equal(job.Metadata.Name, spec.Metadata.Name);
        Assert.Equal(index.Metadata.Uid, Assert.Single(spec.Metadata.OwnerReferences).Uid);
        Assert.True(spec.Immutable);
        Assert.Contains("shard-3999", Assert.Single(spec.Data).Value, StringComparison.Ordinal);
        Assert.Contains(job.Spec.Template.Spec.Volumes, volume => volume.ConfigMap?.Name == spec.Metadata.Name);

        // Another spec, another Job: neither the Job nor the ConfigMap of the first stays.
        await PatchSpecAsync("wide", new JsonObject { ["dataset"] = new JsonObject { ["randomSeed"] = 7 } });
        await UntilAsync("the second Job and its ConfigMap alone", () =>
            JobsEver("wide").Count == 2 && Jobs.Now.Count(job => job.Metadata.DeletionTimestamp is null) == 1
            && ConfigMaps.Now.Where(map => map.Metadata.Labels?.ContainsKey(Labels.OwnerName) == true).All(map => map.Metadata.Name != job.Metadata.Name));
    }

    [Fact]
    public async Task A_name_of_63_characters_and_a_name_with_dots_are_built()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        var dotted = "a.b-c.d";
        var longest = new string('n', 63);
        await CreateAsync(dotted);
        await CreateAsync(longest);
        await ReadyAsync(dotted);
        await ReadyAsync(longest);
    }

    private V1Job ForeignJob(string name, PretrainIndex index) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = Namespace,
            Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.OwnerName] = index.Metadata.Name, [Labels.Task] = BuildAttempt.BuildTask },
        },
        Spec = new V1JobSpec
        {
            Template = new V1PodTemplateSpec
            {
                Metadata = new V1ObjectMeta
                {
                    Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.OwnerName] = index.Metadata.Name, [Labels.Task] = BuildAttempt.BuildTask },
                },
                Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [new V1Container { Name = BuildAttempt.ContainerName, Image = "registry.example/other" }] },
            },
        },
    };
}
