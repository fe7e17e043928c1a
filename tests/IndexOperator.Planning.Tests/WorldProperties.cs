using System.Collections.Concurrent;
using CsCheck;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>What holds in every small world, whatever happens in it and wherever the operator is killed.</summary>
public sealed class WorldProperties
{
    // CsCheck_Iter=100000 looks longer.
    private static readonly long Worlds = Math.Max(1000, Check.Iter);

    private static readonly Gen<(int Kind, int Detail)[]> Steps = Gen.Select(Gen.Int[0, 51], Gen.Int[0, 15]).Array[0, 70];

    [Fact]
    public void Every_pass_in_every_world_keeps_the_promises() => Steps.Sample(steps => { Play(steps); }, iter: Worlds, print: Print);

    [Fact]
    public void Every_world_converges_to_published_when_faults_stop() => Steps.Sample(
        steps =>
        {
            var worlds = Play(steps.Where(step => step.Kind != 0).ToArray());
            var site = worlds[0].Site;
            site.Claims.UnionWith(["corpus", "npy-index"]);
            (site.IsDataMissing, site.IsDataBeingWritten) = (false, false);
            foreach (var world in worlds)
            {
                // Only a change by a person cures an oversampled blend.
                world.AskForRebuild("mended");
                world.EditSpec(spec => spec with { Suspend = false, Refresh = new RefreshSpec(), Dataset = spec.Dataset with { SequenceLength = 4096 } });
            }

            Settle(worlds, podsLeave: true, until: () => worlds.All(IsAsItShouldBe));
        },
        iter: Worlds, print: Print);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_deletion_ends_and_leaves_no_staging_behind(bool podsLeave) => Steps.Sample(
        steps =>
        {
            var worlds = Play(steps);
            var (world, site) = (worlds[0], worlds[0].Site);
            world.DeleteIndex();
            world.Consumers.Clear();
            Settle(worlds, podsLeave, until: () => !world.Exists);
            Assert.True(
                world.Staging.Count == 0 || world.EvidenceLost || world.CleanupGivenUp || world.HadNoVolume || !world.Claims.Contains("npy-index"),
                "The resource is gone, and work of its builders lies on the volume.");
            Assert.True(
                site.IsHurt || site.HasSeenStalePass || worlds.Where(other => other is { Exists: true, Index.Metadata.DeletionTimestamp: null } && other.Index.Status?.Current is not null).All(other => site.Published.ContainsKey(other.Index.Status!.Current!.Version!)),
                "What another resource has for current went too.");
        },
        iter: Worlds, print: Print);

    [Fact]
    public void In_some_world_each_policy_has_its_say()
    {
        string[] wanted =
        [
            Reasons.Building, Reasons.Published, Reasons.Reused, Reasons.Checking, Reasons.SharedBuild, Reasons.DataChanged, Reasons.DataBeingWritten, Reasons.DataMissing,
            Reasons.VersionCorrupt, Reasons.ChecksumsMatch, Reasons.Unchanged, Reasons.Suspended, Reasons.ClaimMissing, Reasons.InUse, Reasons.Deleting, Reasons.Pruned,
        ];
        var told = new ConcurrentDictionary<string, bool>();
        for (var thousands = 0; thousands < 20 && wanted.Except(told.Keys).Any(); thousands++)
        {
            Steps.Sample(
                steps =>
                {
                    foreach (var reason in Play(steps)[0].Site.Told)
                    {
                        told[reason] = true;
                    }
                },
                iter: 1000, print: Print);
        }

        Assert.Empty(wanted.Except(told.Keys));
    }

    // Published of the data as it is, whole, and no more of the past than was asked for, but for what pods use.
    private static bool IsAsItShouldBe(World world) =>
        Passes.IsTrue(world.Index.Status, ConditionTypes.Ready)
        && world.Index.Status!.Current!.Version == world.WantedVersion
        && world.Site.Published.ContainsKey(world.WantedVersion)
        && !world.Site.Damaged.Contains(world.WantedVersion)
        && (world.Site.Pinned.Any() || world.Consumers.Count > 0 || !PrunePolicy.Beyond(world.Index).Any())
        && (world.Site.IsHurt || world.EvidenceLost || world.Site.HasSeenStalePass || !world.Consumers.Any(pod => ConsumerPod.IsWaiting(pod) && ConsumerPod.DataVersionOf(pod) is null && MayBeOpened(world, pod)));

    // All but those whose workload runs with what was built for a spec that has gone wrong since: they wait for its end.
    private static bool MayBeOpened(World world, V1Pod pod) =>
        world.Consumers.FirstOrDefault(other => GroupKey.Of(other) == GroupKey.Of(pod) && ConsumerPolicy.VersionOf(other) is not null) is not { } running || world.Site.Published.ContainsKey(ConsumerPolicy.VersionOf(running)!);

    private static string Print((int Kind, int Detail)[] steps) => string.Join(' ', steps.Select(step => $"({step.Kind}, {step.Detail}),"));

    // Two resources on one cache, by chance of the same content.
    private static List<World> Play((int Kind, int Detail)[] steps)
    {
        var site = new Site();
        List<World> worlds = [new World(site), new World(site, "web-mix-too", "9d3c1c55-0f7e-4d5e-9c39-6a6f3f6f2b22")];
        worlds[0].EditSpec(spec => spec with { Cache = spec.Cache with { HistoryLimit = 0 } });
        var seen = worlds.Select(world => (world.Index, world.Snapshot())).ToArray();
        foreach (var (kind, detail) in steps)
        {
            var which = detail / 8;
            if (worlds[which].Exists)
            {
                Step(worlds[which], kind, detail % 8, ref seen[which]);
            }
        }

        return worlds;
    }

    private static void Step(World world, int kind, int detail, ref (PretrainIndex Index, IReadOnlyList<V1Pod> Pods) seen)
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
                world.EditSpec(spec => spec with { Dataset = spec.Dataset with { SequenceLength = detail < 2 ? -1 : detail < 5 ? 4096 : 8192 } });
                break;
            case 5:
                world.AskForRebuild($"{detail % 2}");
                break;
            case 6:
                _ = detail % 2 == 0 ? world.Claims.Remove(detail < 4 ? "corpus" : "npy-index") : world.Claims.Add(detail < 4 ? "corpus" : "npy-index");
                break;
            case 7 when detail == 0:
                (world.EvidenceLost, world.PinsLost) = (true, true);
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
                Passes.Stale(world, seen.Index, detail % 2 == 0 ? seen.Pods : world.Snapshot());
                break;
            case 23:
                seen = (world.Index, world.Snapshot());
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
            case 29:
                world.Site.Data = detail < 4 ? "monday" : detail < 6 ? "tuesday" : "wednesday";
                break;
            case 30:
                world.Site.IsDataBeingWritten = detail < 2;
                world.Site.IsDataMissing = detail == 2;
                break;
            case 31:
                world.EditSpec(spec => spec with { Refresh = spec.Refresh with { OnChange = (ChangePolicy)(detail % 3) } });
                break;
            case 32:
                world.EditSpec(spec => spec with { Cache = spec.Cache with { HistoryLimit = detail % 3, DeletionPolicy = (Api.DeletionPolicy)(detail % 2) } });
                break;
            case 33 when detail < 3:
                world.Site.Hurt(detail);
                break;
            case 34:
                world.StartConsumer();
                break;
            case 35 when world.Consumers.Count > 0:
                world.Consumers.RemoveAt(detail % world.Consumers.Count);
                break;
            case 36:
                // Long enough for a look, or for one that reads the checksums.
                world.Now = now + TimeSpan.FromHours(detail < 5 ? 2 : 30);
                Passes.Whole(world);
                break;
            case 37 or 38:
                world.Now = now + TimeSpan.FromHours(detail < 4 ? 0 : detail < 6 ? 2 : 30);
                Work(world);
                break;
            case 39:
                world.EditSpec(spec => spec with { Dataset = spec.Dataset with { SequenceLength = detail < 4 ? 4096 : 8192 } });
                Work(world);
                break;
            case 40:
                world.Site.Data = detail < 4 ? "monday" : "tuesday";
                world.Now = now + TimeSpan.FromHours(2);
                Work(world);
                break;
            case 45 or 46:
                // Three workloads; of the third some pods insist on a data version, and there are all ways to wait.
                var workload = detail % 3;
                world.StartWaiting($"w{workload}", workload == 2 && detail < 6 ? ((char)('a' + (detail % 3))).ToString() : null, byGate: detail != 4);
                break;
            case 47 when world.Consumers.Count > 0:
                // A pod goes and is created again.
                var gone = world.Consumers[detail % world.Consumers.Count];
                world.Consumers.Remove(gone);
                if (gone.Metadata.Labels.TryGetValue(Labels.Group, out var group))
                {
                    world.StartWaiting(group, gone.Metadata.Annotations.TryGetValue(Annotations.DataVersion, out var insists) ? insists : null, byGate: true);
                }

                break;
            case 48 when detail == 0:
                world.Consumers.Clear();
                break;
            case 49 when detail < 3:
                world.Binding = null;
                break;
            case >= 41:
                Passes.Whole(world);
                break;
        }
    }

    // A stretch without an accident, as long as it takes a Job to be made, to run and to be read.
    private static void Work(World world)
    {
        Passes.Whole(world);
        world.StartPods();
        world.RunPods();
        Passes.Whole(world);
        world.EndPods(world.Deliver, 0);
        world.EndJobs();
        world.RemoveGoingPods();
        if (world.Exists)
        {
            Passes.Whole(world);
        }
    }

    // Everything works from here on; only time passes, and the operator comes whenever it asked to or something happened.
    private static void Settle(List<World> worlds, bool podsLeave, Func<bool> until)
    {
        var site = worlds[0].Site;
        for (var round = 0; round < 400; round++)
        {
            var waits = new List<TimeSpan>();
            foreach (var world in worlds.Where(world => world.Exists))
            {
                if (Passes.Whole(world) is { } asked)
                {
                    waits.Add(asked);
                }
            }

            if (until())
            {
                return;
            }

            foreach (var world in worlds)
            {
                world.StartPods();
                world.RunPods();
                Passes.Whole(world);
                world.EndPods(world.Deliver, 0);
                world.EndJobs();
                if (podsLeave)
                {
                    world.RemoveGoingPods();
                }
            }

            var wait = waits.Count == 0 ? TimeSpan.Zero : waits.Min();
            site.Now += wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1);
        }

        Assert.Fail($"Did not settle: {string.Join(" | ", worlds.Select(world => string.Join("; ", world.Index.Status?.Conditions?.Select(condition => $"{condition.Type}={condition.Status} {condition.Reason}: {condition.Message}") ?? [])))}");
    }
}
