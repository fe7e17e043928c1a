using CsCheck;
using IndexOperator.Api;
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

    private static Dictionary<string, string> Map((string Name, string Value)[] notes) => notes.DistinctBy(note => note.Name).ToDictionary(note => note.Name, note => note.Value);

    private static void Shown(string? text, int most)
    {
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(text ?? ""), 0, most);
        Assert.DoesNotContain(text ?? "", character => char.IsControl(character) || character == '\u202e');
    }
}
