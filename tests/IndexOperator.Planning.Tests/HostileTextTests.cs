using System.Text.Json.Nodes;
using CsCheck;
using IndexOperator.Api;
using IndexOperator.TestSupport;
using k8s;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>
/// What others can write — annotations, termination messages, reasons and messages of pods — never ends a pass, never reaches a terminal
/// as it is, and never makes a status or an event larger than the API server takes.
/// </summary>
public sealed class HostileTextTests
{
    private const int LongestMessage = 32 * 1024;
    private const int LongestNote = 1024;

    // CsCheck_Iter=1000000 looks longer.
    private static readonly long Worlds = Math.Max(3000, Check.Iter);

    private static readonly string[] Words =
    [
        "", " ", "-1", "0", "1", "999999999999999999999", "9e99", "../../etc", "0123456789abcdef0123", "0123456789abcdef0123,../..", "true", "null", "{}", "[[[[", "\u001b]0;title\u0007\u001b[2J", "\u202e\u0000\n\r", "\ud800",
        "${jndi:ldap://x}", "$(POD_NAME)", "`id`", "';--", "{\"outcome\":\"Built\"", "{\"progress\":{}}", "2026-11-20T08:00:00Z", "9999-12-31T23:59:59Z", new string('x', 5000), string.Concat(Enumerable.Repeat("😀é", 3000)),
    ];

    private static readonly string[] Names =
    [
        Annotations.Rebuild, Annotations.BuildKey, Annotations.ContentKey, Annotations.JobKey, Annotations.Attempt, Annotations.Generation, Annotations.Spec, Annotations.SpecConfigMap, Annotations.Memory, Annotations.Version,
        Annotations.Containers, Annotations.DataVersion, Annotations.Staging, Annotations.StagingSize, Annotations.Injected, Annotations.Versions, Annotations.Cache, Annotations.TraceParent,
    ];

    private static readonly Gen<string> Word = Gen.Int[0, Words.Length - 1].Select(i => Words[i]);

    private static readonly Gen<(string Name, string Value)[]> Notes = Gen.Select(Gen.Int[0, Names.Length - 1].Select(i => Names[i]), Word).Array[0, 6];

    private static readonly Gen<((string Name, string Value)[] Index, (string Name, string Value)[] Job, (string Name, string Value)[] Pod, string Message, string Reason, int Kind)> Cases =
        Gen.Select(Notes, Notes, Notes, Word, Word, Gen.Int[0, 5]);

    [Fact]
    public void A_pass_over_anything_ends_and_tells_it_in_bounds() => Cases.Sample(
        chosen =>
        {
            var index = Given.Index();
            index.Metadata.Annotations = Map(chosen.Index);
            var job = Given.Job(index);
            foreach (var (name, value) in chosen.Job)
            {
                job.Metadata.Annotations[name] = value;
            }

            var pod = Given.Pod(job, Given.Now);
            switch (chosen.Kind)
            {
                case 0:
                    pod.Status = Given.Ended(Given.Now, 0, chosen.Message);
                    job.Status = Given.JobEnd("Complete", chosen.Reason, Given.Now);
                    break;
                case 1:
                    pod.Status = Given.Ended(Given.Now, 1, chosen.Message, chosen.Reason);
                    job.Status = Given.JobEnd("Failed", chosen.Reason, Given.Now);
                    break;
                case 2:
                    pod.Status = Given.Waiting(chosen.Reason, chosen.Message, Given.Now.AddHours(-1));
                    break;
                case 3:
                    pod.Status = new V1PodStatus { Phase = "Failed", Reason = chosen.Reason, Message = chosen.Message };
                    job.Status = Given.JobEnd("Failed", "BackoffLimitExceeded", Given.Now);
                    break;
                case 4:
                    pod.Status = new V1PodStatus
                    {
                        Phase = "Pending",
                        Conditions = [new V1PodCondition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = chosen.Message, LastTransitionTime = Given.Now.AddHours(-1).UtcDateTime }],
                    };
                    break;
                default:
                    pod.Status = Given.Running(Given.Now);
                    break;
            }

            var consumer = new V1Pod
            {
                Metadata = new V1ObjectMeta { Name = "train-0", NamespaceProperty = "training", Uid = "c", Labels = new Dictionary<string, string> { [Labels.Index] = "web-mix" }, Annotations = Map(chosen.Pod) },
                Spec = new V1PodSpec { Containers = [new V1Container { Name = "train", Image = "x" }] },
                Status = new V1PodStatus { Phase = "Running" },
            };
            var plan = Planner.Plan(Given.Observed(index) with { Jobs = [job], Pods = [pod], Consumers = [consumer] });

            foreach (var condition in plan.Status.Conditions ?? [])
            {
                Shown(condition.Message, LongestMessage);
                Assert.Matches("^[A-Za-z]{1,64}$", condition.Reason);
            }

            foreach (var told in plan.Events)
            {
                Shown(told.Note, LongestNote);
                Assert.Matches("^[A-Za-z]{1,64}$", told.Reason);
            }

            // What is published is a version and nothing that could be a path.
            Assert.Matches("^([0-9a-f]{20})?$", plan.Status.Current?.Version ?? "");
        },
        iter: Worlds);

    [Fact]
    public void A_spec_of_anything_is_refused_or_gets_a_pod_that_keeps_to_its_mounts()
    {
        var (refused, built) = (0, 0);
        Gen.Select(Gen.Int[0, 9], Word, Word).Array[1, 3].Sample(
            changes =>
            {
                var index = Given.Index(spec => changes.Aggregate(spec, (changed, change) => Change(changed, change.Item1, change.Item2, change.Item3)));
                var plan = Planner.Plan(Given.Observed(index));
                foreach (var text in (plan.Status.Conditions ?? []).Select(condition => condition.Message).Concat(plan.Events.Select(told => told.Note)))
                {
                    Shown(text, LongestMessage);
                }

                if (plan.Actions.OfType<CreateJob>().FirstOrDefault() is not { } create)
                {
                    Interlocked.Increment(ref refused);
                    return;
                }

                Interlocked.Increment(ref built);
                var template = JsonNode.Parse(KubernetesJson.Serialize(create.Job))!["spec"]!["template"]!;
                Assert.Empty(OwnPods.Faults(template));
                Assert.All(create.Job.Spec.Template.Spec.Volumes, volume => Assert.True(volume.PersistentVolumeClaim is not null || volume.DownwardAPI is not null || volume.ConfigMap is not null));
                Assert.All(create.Job.Spec.Template.Spec.Containers[0].VolumeMounts, mount => Assert.True(mount.SubPath is null || PathRules.IsPlain(mount.SubPath)));
                Assert.Equal(index.Metadata.NamespaceProperty, create.Job.Metadata.NamespaceProperty);
                var root = create.Job.Spec.Template.Spec.Containers[0].Args[create.Job.Spec.Template.Spec.Containers[0].Args.IndexOf("--cache-root") + 1];
                Assert.True(PathRules.IsPlain(root.TrimStart('/')) && root.StartsWith(BuildJobManifest.CacheDirectory, StringComparison.Ordinal), root);
            },
            iter: Worlds);
        Assert.True(refused > Worlds / 50 && built > Worlds / 50, $"{refused} were refused and {built} built");
    }

    private static PretrainIndexSpec Change(PretrainIndexSpec spec, int field, string name, string value)
    {
        var map = new Dictionary<string, string> { [name] = value };
        return field switch
        {
            0 => spec with { Data = spec.Data with { ClaimName = value } },
            1 => spec with { Data = spec.Data with { SubPath = value } },
            2 => spec with { Data = spec.Data with { MountPath = "/data/" + value, Blend = [new BlendEntry { Prefix = $"/data/{value}/a" }] } },
            3 => spec with { Data = spec.Data with { Blend = [new BlendEntry { Prefix = "/data/" + value }] } },
            4 => spec with { Cache = spec.Cache with { SubPath = value } },
            5 => spec with { DataVersion = value },
            6 => spec with { Build = spec.Build with { PodAnnotations = map } },
            7 => spec with { Build = spec.Build with { PodLabels = map } },
            8 => spec with { Build = spec.Build with { PodAnnotations = new Dictionary<string, string> { ["container.apparmor.security.beta.kubernetes.io/" + name] = value } } },
            _ => spec with { Build = spec.Build with { RuntimeClassName = value, SchedulerName = name, PriorityClassName = value } },
        };
    }

    private static Dictionary<string, string> Map((string Name, string Value)[] notes) => notes.DistinctBy(note => note.Name).ToDictionary(note => note.Name, note => note.Value);

    private static void Shown(string? text, int most)
    {
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(text ?? ""), 0, most);
        Assert.DoesNotContain(text ?? "", character => char.IsControl(character) || character == '\u202e');
    }
}
