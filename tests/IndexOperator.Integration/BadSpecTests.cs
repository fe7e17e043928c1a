using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>What a person may write wrongly: each is named within seconds, and a good resource beside it is not held up.</summary>
public sealed class BadSpecTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private static readonly Dictionary<string, Func<PretrainIndexSpec, PretrainIndexSpec>> Mistakes = new()
    {
        ["neither blend nor blendPerSplit"] = spec => spec with { Data = spec.Data with { Blend = null } },
        ["both blend and blendPerSplit"] = spec => spec with { Data = spec.Data with { BlendPerSplit = new BlendPerSplit { Train = [new BlendEntry { Prefix = "/data/a" }] } } },
        ["weights on some entries"] = spec => spec with { Data = spec.Data with { Blend = [new BlendEntry { Prefix = "/data/a", Weight = 1 }, new BlendEntry { Prefix = "/data/b" }] } },
        ["prefix outside the data mount"] = spec => spec with { Data = spec.Data with { Blend = [new BlendEntry { Prefix = "/elsewhere/a" }] } },
        ["prefix that climbs out"] = spec => spec with { Data = spec.Data with { Blend = [new BlendEntry { Prefix = "/data/../etc/passwd" }] } },
    };

    [Theory]
    [InlineData("neither blend nor blendPerSplit", "spec.data", "Set exactly one of them")]
    [InlineData("both blend and blendPerSplit", "spec.data", "Set exactly one of them")]
    [InlineData("weights on some entries", "spec.data.blend[1].weight", "on all 2 entries or on none")]
    [InlineData("prefix outside the data mount", "spec.data.blend[0].prefix", "Write a path below /data/")]
    [InlineData("prefix that climbs out", "spec.data.blend[0].prefix", "Write it without")]
    public async Task A_wrong_spec_is_told_with_its_field_and_what_to_write(string mistake, string field, string advice)
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        var good = await CreateAsync("good");
        try
        {
            await CreateAsync("bad", Mistakes[mistake]);
        }
        catch (ApiException refused) when (refused.IsInvalid)
        {
            // Servers with CEL say it at once, at the object that the rule is on.
            Assert.Contains(string.Join('.', field.Split('.')[..2]), refused.Message, StringComparison.Ordinal);
            return;
        }

        var bad = await NotReadyAsync("bad", Reasons.InvalidSpec);
        Assert.True(bad.Is(ConditionTypes.Stalled, "True", Reasons.InvalidSpec));
        Assert.True(bad.Is(ConditionTypes.Reconciling, "False"));
        var message = bad.ConditionOf(ConditionTypes.Ready)!.Message!;
        Assert.Contains(field, message, StringComparison.Ordinal);
        Assert.Contains(advice, message, StringComparison.Ordinal);
        await ToldAsync("bad", Reasons.InvalidSpec);
        await ReadyAsync(good.Metadata.Name);
        Assert.Empty(JobsEver("bad"));
        Assert.Null(bad.Metadata.Finalizers);
    }

    [Theory]
    [InlineData("data", "spec.data.claimName")]
    [InlineData("cache", "spec.cache.claimName")]
    public async Task A_missing_claim_is_named_and_waited_for(string which, string field)
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("good");
        await CreateAsync("early", spec => which == "data" ? spec with { Data = spec.Data with { ClaimName = "late" } } : spec with { Cache = Specs.Cache("late") });
        var early = await NotReadyAsync("early", Reasons.ClaimMissing);
        Assert.Equal($"{field}: PersistentVolumeClaim \"late\" does not exist in namespace {Namespace}. Create it, or correct {field}.", early.ConditionOf(ConditionTypes.Ready)!.Message);
        Assert.True(early.Is(ConditionTypes.Stalled, "True", Reasons.ClaimMissing));
        await ReadyAsync("good");

        await CreateClaimAsync("late");
        await ReadyAsync("early");
        Assert.Single(JobsEver("early"));
    }

    [Fact]
    public async Task A_corrected_spec_recovers_by_itself()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        // No rule of the definition: another release may carry it out.
        await CreateAsync("typo", spec => spec with { Build = spec.Build with { Parallelism = 2 } });
        await NotReadyAsync("typo", Reasons.InvalidSpec);
        await Plane.KubectlAsync("patch", "pti", "typo", "-n", Namespace, "--type=merge", "-p", """{"spec":{"build":{"parallelism":1}}}""");
        await ReadyAsync("typo");
    }
}
