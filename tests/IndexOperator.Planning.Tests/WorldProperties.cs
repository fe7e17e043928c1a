using CsCheck;
using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

/// <summary>What holds in every small world, whatever happens in it and wherever the operator is killed.</summary>
public sealed class WorldProperties
{
    // CsCheck_Iter=100000 looks longer.
    private static readonly long Worlds = Math.Max(1000, Check.Iter);

    private static readonly Gen<(int Kind, int Detail)[]> Steps = Gen.Select(Gen.Int[0, 31], Gen.Int[0, 7]).Array[0, 60];

    [Fact]
    public void Every_pass_in_every_world_keeps_the_promises() => Steps.Sample(steps => { Play(steps); }, iter: Worlds, print: Print);

    [Fact]
    public void Every_world_converges_to_published_when_faults_stop() => Steps.Sample(
        steps =>
        {
            var world = Play(steps.Where(step => step.Kind != 0).ToArray());
            world.Claims.UnionWith(["corpus", "npy-index"]);
            if (steps.Any(step => step is { Kind: 16, Detail: >= 6 }))
            {
                // Only a change by a person cures an oversampled blend.
                world.AskForRebuild("mended");
            }

            world.EditSpec(spec => spec with { Suspend = false, Dataset = spec.Dataset with { SequenceLength = 4096 } });
            Settle(world, podsLeave: true, until: () => Passes.IsTrue(world.Index.Status, ConditionTypes.Ready));
        },
        iter: Worlds, print: Print);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_deletion_ends_and_leaves_no_staging_behind(bool podsLeave) => Steps.Sample(
        steps =>
        {
            var world = Play(steps);
            world.DeleteIndex();
            Settle(world, podsLeave, until: () => !world.Exists);
            Assert.True(
                world.Staging.Count == 0 || world.EvidenceLost || world.CleanupGivenUp || !world.Claims.Contains("npy-index"),
                "The resource is gone, and work of its builders lies on the volume.");
        },
        iter: Worlds, print: Print);

    private static string Print((int Kind, int Detail)[] steps) => string.Join(' ', steps.Select(step => $"({step.Kind}, {step.Detail}),"));

    private static World Play((int Kind, int Detail)[] steps)
    {
        var world = new World();
        var seen = world.Index;
        foreach (var (kind, detail) in steps.TakeWhile(_ => world.Exists))
        {
            Step(world, kind, detail, ref seen);
        }

        return world;
    }

    private static void Step(World world, int kind, int detail, ref PretrainIndex seen)
    {
        var now = world.Now;
        switch (kind)
        {
            case 0 when detail == 0:
                world.DeleteIndex();
                break;
            case 1:
                world.EditSpec(spec => spec with { DataVersion = ((char)('a' + (detail % 3))).ToString() });
                break;
            case 2:
                world.EditSpec(spec => spec with { Suspend = detail % 2 == 0 });
                break;
            case 3:
                world.EditSpec(spec => spec with { Build = spec.Build with { Retries = detail % 3 } });
                break;
            case 4:
                world.EditSpec(spec => spec with { Dataset = spec.Dataset with { SequenceLength = detail < 2 ? -1 : 4096 } });
                break;
            case 5:
                world.AskForRebuild($"{detail % 2}");
                break;
            case 6:
                _ = detail % 2 == 0 ? world.Claims.Remove(detail < 4 ? "corpus" : "npy-index") : world.Claims.Add(detail < 4 ? "corpus" : "npy-index");
                break;
            case 7 when detail == 0:
                world.EvidenceLost = true;
                world.WriteStatus(null);
                break;
            case 8 when detail < 2:
                world.EvidenceLost = true;
                world.DeleteJobs(_ => true);
                break;
            case 9 when detail < 2:
                world.LosePods();
                break;
            case 9:
                world.TimeOut();
                break;
            case 10 or 11:
                world.StartPods();
                break;
            case 12 or 13:
                world.RunPods();
                break;
            case 14 or 15:
                world.EndPods(world.Deliver, 0);
                break;
            case 16:
                world.EndPods(_ => detail < 4 ? null : Given.Failure(detail < 6 ? Reasons.DataMissing : Reasons.OversampledBlend), 4);
                break;
            case 17 or 18:
                world.EndJobs();
                break;
            case 19:
                world.RemoveGoingPods();
                break;
            case 20:
                world.Now = now + TimeSpan.FromSeconds(detail);
                break;
            case 21:
                world.Now = now + TimeSpan.FromMinutes(detail * detail);
                break;
            case 22:
                // The informer lags: this pass sees the resource as it was some steps ago.
                Passes.Stale(world, seen);
                break;
            case 23:
                seen = world.Index;
                break;
            case 24 or 25:
                Passes.Killed(world, detail);
                break;
            case 26 or 27:
                // Long stretches without an accident, so that accidents also meet builds that run and versions that are published.
                Passes.Whole(world);
                world.StartPods();
                world.RunPods();
                Passes.Whole(world);
                break;
            case 28:
                world.EndPods(world.Deliver, 0);
                world.EndJobs();
                world.RemoveGoingPods();
                Passes.Whole(world);
                break;
            case >= 29:
                Passes.Whole(world);
                break;
        }
    }

    // Everything works from here on; only time passes, and the operator comes whenever it asked to or something happened.
    private static void Settle(World world, bool podsLeave, Func<bool> until)
    {
        for (var round = 0; round < 200; round++)
        {
            var wait = Passes.Whole(world);
            if (until())
            {
                return;
            }

            world.StartPods();
            world.RunPods();
            if (world.Exists)
            {
                Passes.Whole(world);
            }

            world.EndPods(world.Deliver, 0);
            world.EndJobs();
            if (podsLeave)
            {
                world.RemoveGoingPods();
            }

            world.Now += wait is { } asked && asked > TimeSpan.FromSeconds(1) ? asked : TimeSpan.FromSeconds(1);
        }

        Assert.Fail($"Did not settle: {string.Join("; ", world.Index.Status?.Conditions?.Select(condition => $"{condition.Type}={condition.Status} {condition.Reason}: {condition.Message}") ?? [])}");
    }
}
