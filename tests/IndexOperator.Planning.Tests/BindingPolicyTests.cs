using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>The ConfigMap that tells what to mount follows the current version, and nothing waits for it.</summary>
public sealed class BindingPolicyTests
{
    [Fact]
    public void It_tells_claim_folder_version_and_variables()
    {
        var index = Given.Published(Given.Index(spec => spec with { Cache = new CacheSpec { ClaimName = "npy-index", SubPath = "caches/web" } }));
        var binding = BindingPolicy.Wanted(index, index.Status!)!;
        var version = Given.Digits('1');

        Assert.Equal(("web-mix-binding", "training", "binding"), (binding.Metadata.Name, binding.Metadata.NamespaceProperty, binding.Metadata.Labels[Labels.Task]));
        Assert.True(BindingPolicy.IsOf(index, binding));
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["claimName"] = "npy-index",
                ["path"] = $"caches/web/versions/{version}",
                ["version"] = version,
                ["mountPath"] = "/npy_index",
                ["dataVersion"] = "",
                ["PRETRAIN_INDEX_VERSION"] = version,
                ["PRETRAIN_INDEX_DIR"] = "/npy_index",
                ["NEMO_INDEX_MAPPING_DIR"] = "/npy_index",
                ["MEGATRON_DATA_CACHE_ARGS"] = "--data-cache-path /npy_index",
            },
            binding.Data);
    }

    [Fact]
    public void It_is_written_first_and_again_only_where_it_says_something_else()
    {
        var index = Given.Published(Given.Index());
        var observed = Given.Observed(index) with { Binding = null };
        var apply = Assert.IsType<ApplyBinding>(Planner.Plan(observed).Actions[0]);
        Assert.Null(apply.Binding.Metadata.Uid);

        var there = Given.Binding(index)!;
        there.Data["note"] = "of a person";
        Assert.DoesNotContain(Planner.Plan(observed with { Binding = there }).Actions, action => action is ApplyBinding);

        there.Data[BindingPolicy.PathKey] = "elsewhere";
        Assert.Equal(there.Metadata.Uid, Assert.Single(Planner.Plan(observed with { Binding = there }).Actions.OfType<ApplyBinding>()).Binding.Metadata.Uid);
    }

    [Fact]
    public void A_new_version_is_told_by_the_pass_that_makes_it_current()
    {
        var index = Given.Index();
        var job = Given.Job(index);
        job.Status = Given.JobEnd("Complete", null, Given.Now);
        var pod = Given.Pod(job, Given.Now).With(Given.Ended(Given.Now, 0, Given.Report(BuildReport.Built, Given.Digits('7'))));
        var plan = Planner.Plan(Given.Observed(index) with { Jobs = [job], Pods = [pod] });

        Assert.Equal(Given.Digits('7'), Assert.IsType<ApplyBinding>(plan.Actions[0]).Binding.Data[BindingPolicy.VersionKey]);
        Assert.Equal("a", ((ApplyBinding)plan.Actions[0]).Binding.Data[BindingPolicy.DataVersionKey]);
        Assert.Equal(Given.Digits('7'), plan.Status.Current!.Version);
        Assert.True(Passes.IsTrue(plan.Status, ConditionTypes.Ready));
    }

    [Fact]
    public void A_refusal_is_told_and_looked_at_again_and_changes_nothing_else()
    {
        var observed = Given.Observed(Given.Published(Given.Index())) with { Binding = null };
        var (bound, refused) = (Planner.Plan(observed), Planner.Plan(observed with { BindingRefusal = new FailureStatus { Reason = Reasons.BindingFailed, Message = "It is somebody's own." } }));

        Assert.DoesNotContain(refused.Actions, action => action is ApplyBinding);
        var told = Assert.Single(refused.Events, told => told.Reason == Reasons.BindingFailed);
        Assert.Equal(("Warning", "Bind"), (told.Type, told.Action));
        Assert.Contains("web-mix-binding", told.Note, StringComparison.Ordinal);
        Assert.True(refused.LookAgainAfter <= BindingPolicy.Pause);
        Assert.Equal(bound.Status.Conditions!.Select(condition => condition.ToString()), refused.Status.Conditions!.Select(condition => condition.ToString()));
    }

    [Fact]
    public void Nothing_is_written_before_a_version_is_published_for_an_invalid_spec_or_for_a_resource_that_goes()
    {
        var invalid = Given.Published(Given.Index(spec => spec with { Build = spec.Build with { Parallelism = 7 } }));
        var going = Given.Published(Given.Index());
        going.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        going.Metadata.Finalizers = [Finalizers.Cleanup];
        Assert.All([Given.Index(), invalid, going], index =>
            Assert.DoesNotContain(Planner.Plan(Given.Observed(index) with { Binding = null }).Actions, action => action is ApplyBinding));
    }

    [Fact]
    public void The_name_of_a_long_resource_is_cut_and_stays_its_own()
    {
        var (a, b) = (Given.Index(name: new string('a', 250)), Given.Index(name: new string('a', 251)));
        Assert.True(BindingPolicy.NameOf(a).Length <= 253);
        Assert.NotEqual(BindingPolicy.NameOf(a), BindingPolicy.NameOf(b));
    }

    [Fact]
    public void A_ConfigMap_of_another_owner_is_not_ours()
    {
        var index = Given.Index();
        Assert.False(BindingPolicy.IsOf(index, new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "web-mix-binding" } }));
    }
}
