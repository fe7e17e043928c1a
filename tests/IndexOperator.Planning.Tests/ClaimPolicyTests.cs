using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>What becomes of a version that is published when a claim is no longer what it was.</summary>
public sealed class ClaimPolicyTests
{
    [Fact]
    public void A_claim_that_cannot_grow_is_told_of_and_the_build_goes_on()
    {
        var index = Template(Given.Index(), "2Gi");
        var small = Given.Observed(index) with { Claims = [Given.Claim("corpus"), Claim(index, "1Gi")] };
        Assert.Equal("2Gi", Assert.Single(Planner.Plan(small).Actions.OfType<ExpandClaim>()).Size.ToString());

        var plan = Planner.Plan(small with { ExpansionRefusal = new FailureStatus { Reason = Reasons.ClaimExpansionFailed, Message = "only dynamically provisioned pvc can be resized" } });

        Assert.Empty(plan.Actions.OfType<ExpandClaim>());
        Assert.Equal(("True", Reasons.Building), Condition(plan, ConditionTypes.Reconciling));
        var told = Assert.Single(plan.Events, told => told.Reason == Reasons.ClaimExpansionFailed);
        Assert.Contains("only dynamically provisioned pvc can be resized", told.Note, StringComparison.Ordinal);
        Assert.NotNull(plan.LookAgainAfter);
    }

    [Fact]
    public void A_published_index_whose_claim_cannot_grow_stays_Ready_and_asks_again()
    {
        var index = Published(Template(Given.Index(), "2Gi"));
        var plan = Planner.Plan(Given.Observed(index) with
        {
            Claims = [Given.Claim("corpus"), Claim(index, "1Gi")],
            ExpansionRefusal = new FailureStatus { Reason = Reasons.ClaimExpansionFailed, Message = "exceeded quota" },
        });

        Assert.Equal(("True", Reasons.Published), Condition(plan, ConditionTypes.Ready));
        Assert.Equal(ClaimPolicy.ExpansionPause, plan.LookAgainAfter);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_version_whose_claim_is_gone_is_not_Ready_whether_suspended_or_not(bool suspended)
    {
        var plan = Planner.Plan(Given.Observed(Published(Given.Index(spec => spec with { Suspend = suspended }))) with { Claims = [Given.Claim("corpus")] });

        Assert.Equal(("False", Reasons.ClaimMissing), Condition(plan, ConditionTypes.Ready));
        Assert.Equal(("True", Reasons.ClaimMissing), Condition(plan, ConditionTypes.Stalled));
        Assert.Equal(("False", Reasons.ClaimMissing), Condition(plan, ConditionTypes.Available));
    }

    [Fact]
    public void A_look_that_is_overdue_and_has_no_data_claim_is_not_asked_for_every_second()
    {
        var index = Published(Given.Index());
        var plan = Planner.Plan(Given.Observed(index) with { Claims = [Given.Claim("npy-index")], Now = Given.Now.AddDays(3) });

        Assert.Empty(plan.Actions);
        Assert.True(plan.LookAgainAfter >= TimeSpan.FromMinutes(1), $"{plan.LookAgainAfter}");
    }

    [Theory]
    [InlineData("ReadWriteMany", 8, null)]
    [InlineData("ReadWriteOnce", 1, null)]
    [InlineData("ReadWriteOncePod", 1, null)]
    [InlineData("ReadWriteOnce,ReadWriteMany", 8, null)]
    [InlineData("", 8, null)]
    [InlineData("ReadOnlyMany", 1, Reasons.ReadOnlyCache)]
    [InlineData("ReadOnlyMany", 8, Reasons.ReadOnlyCache)]
    [InlineData("ReadWriteOnce", 2, Reasons.ClaimAccessMode)]
    [InlineData("ReadWriteOnce,ReadOnlyMany", 2, Reasons.ClaimAccessMode)]
    [InlineData("ReadWriteOncePod", 2, Reasons.ClaimAccessMode)]
    public void A_cache_is_written_by_as_many_pods_as_the_build_has(string modes, int parallelism, string? reason)
    {
        var claim = Given.Claim("npy-index");
        claim.Spec.AccessModes = modes.Split(',', StringSplitOptions.RemoveEmptyEntries);
        var observed = Given.Observed(Given.Index(spec => spec with { Build = spec.Build with { Parallelism = parallelism } })) with { Claims = [Given.Claim("corpus"), claim] };

        var trouble = ClaimPolicy.Trouble(observed);

        Assert.Equal(reason, trouble?.Reason);
        Assert.True(trouble?.Message!.Contains("PersistentVolumeClaim \"npy-index\"", StringComparison.Ordinal) ?? true);
    }

    [Theory]
    [InlineData("100Gi", "200Gi", true)]
    [InlineData("100Gi", "100.5Gi", true)]
    [InlineData("100Gi", "100Gi", false)]
    [InlineData("100Gi", "102400Mi", false)]
    [InlineData("100Gi", "107374182400", false)]
    [InlineData("100Gi", "107374182401", true)]
    [InlineData("100Gi", "100G", false)]
    [InlineData("100Gi", "1Gi", false)]
    public void A_claim_grows_and_never_shrinks(string has, string asked, bool grows)
    {
        var index = Template(Given.Index(), asked);

        var grown = ClaimPolicy.Expansion(Given.Observed(index) with { Claims = [Claim(index, has)] });

        Assert.Equal(grows, grown is [ExpandClaim]);
    }

    private static PretrainIndex Template(PretrainIndex index, string size)
    {
        index.Spec.Cache = new CacheSpec { ClaimTemplate = new ClaimTemplate { Size = new ResourceQuantity(size) } };
        return index;
    }

    private static V1PersistentVolumeClaim Claim(PretrainIndex index, string size)
    {
        var claim = Given.Claim(ClaimPolicy.CacheClaimName(index));
        claim.Spec.Resources = new V1VolumeResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = new(size) } };
        return claim;
    }

    private static PretrainIndex Published(PretrainIndex index)
    {
        var job = Given.Job(index);
        job.Status = Given.JobEnd("Complete", null, Given.Now);
        var delivered = Given.Observed(index) with
        {
            Claims = [Given.Claim("corpus"), Claim(index, "1Gi")],
            Jobs = [job],
            Pods = [Given.Pod(job, Given.Now).With(Given.Ended(Given.Now, 0, Given.Report(BuildReport.Built, Given.VersionOf("content"))))],
        };
        index.Status = Planner.Plan(delivered).Status;
        return index;
    }

    private static (string?, string?) Condition(Plan plan, string type) =>
        plan.Status.Conditions!.Where(condition => condition.Type == type).Select(condition => (condition.Status, condition.Reason)).Single();
}
