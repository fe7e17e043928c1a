using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>An upgrade in the middle of anything: what an earlier release made is recognised, and nothing is done twice.</summary>
public sealed class ReleasedTests
{
    private static readonly string[] Made = ["binding", "build", "check", "cleanup", "prune"];

    public static TheoryData<string> Releases => [.. Released.Versions];

    public static TheoryData<string, string> Cases => [.. Released.Versions.SelectMany(release => Made.Select(made => (release, made)))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_an_earlier_release_began_goes_on(string release, string made)
    {
        var (observed, before) = After(release, made);

        var plan = Planner.Plan(observed);

        Assert.Empty(plan.Actions);
        Assert.Empty(plan.Events);
        Assert.Equal(Told(before), Told(plan.Status));
        Assert.Equal(before.Current, plan.Status.Current);
        Assert.Equal((before.Build?.Job, before.Build?.Attempt, before.Build?.JobKey), (plan.Status.Build?.Job, plan.Status.Build?.Attempt, plan.Status.Build?.JobKey));
        Assert.Equal(before.Previous?.Select(version => version.Version), plan.Status.Previous?.Select(version => version.Version));

        static IEnumerable<string> Told(PretrainIndexStatus status) => status.Conditions!.Select(condition => $"{condition.Type}={condition.Status} {condition.Reason} since {condition.LastTransitionTime:O}");
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void The_report_of_an_earlier_builder_becomes_the_current_version(string release)
    {
        var (observed, _) = After(release, "build");
        var report = JsonNode.Parse(Released.Text(release, "build-report.json"))!;

        var current = Planner.Plan(Ended(observed, report)).Status.Current!;

        Assert.Equal(((string?)report["version"], (string?)report["fingerprint"], (string?)report["stamp"]), (current.Version, current.Fingerprint, current.DataStamp));
        Assert.Equal(((long)report["sizeBytes"]!, (int)report["files"]!), (current.SizeBytes, current.Files));
        Assert.Equal(((long)report["samples"]!["train"]!, (long)report["samples"]!["validation"]!, (long)report["samples"]!["test"]!), (current.Samples!.Train, current.Samples.Validation, current.Samples.Test));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void The_report_of_an_earlier_look_is_about_the_current_version(string release)
    {
        var (observed, before) = After(release, "check");
        var report = JsonNode.Parse(Released.Text(release, "check-report.json"))!;
        // The look is at the version of the case.
        report["version"] = before.Current!.Version;
        report["fingerprint"] = before.Current.Fingerprint;

        var status = Planner.Plan(Ended(observed, report)).Status;

        Assert.Equal("Unchanged", status.Data!.State);
        Assert.Equal((before.Data?.Looks ?? 0) + 1, status.Data.Looks);
        Assert.Equal(("True", Reasons.Unchanged), Condition(ConditionTypes.DataCurrent));
        Assert.Equal(("True", Reasons.ChecksumsMatch), Condition(ConditionTypes.Verified));

        (string?, string?) Condition(string type) => status.Conditions!.Where(condition => condition.Type == type).Select(condition => (condition.Status, condition.Reason)).Single();
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void Whoever_reads_the_binding_finds_every_value_where_it_was(string release)
    {
        var (observed, before) = After(release, "binding");

        var binding = BindingPolicy.Wanted(observed.Index, before)!;

        Assert.True(BindingPolicy.IsOf(observed.Index, observed.Binding!));
        Assert.Equal(observed.Binding!.Metadata.Name, binding.Metadata.Name);
        Assert.Empty(observed.Binding.Data.Except(binding.Data));
        Assert.Empty(observed.Binding.Metadata.Labels.Except(binding.Metadata.Labels));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_pod_that_an_earlier_webhook_changed_is_left_alone_and_let_go(string release)
    {
        var folder = Released.Case(release, "pod");
        var (pod, index) = (folder.ReadYaml("expected.yaml").AsObject(), folder.ReadYaml("index.yaml").Deserialize(PlanningJsonContext.Default.PretrainIndex)!);
        Assert.IsType<InjectionResult.Unchanged>(PodInjection.Inject(pod, "training", index, new InjectionSettings { SchedulingGates = true, BuilderImage = "registry.example/index-builder:2" }));

        var (observed, before) = After(release, "binding");
        var waiting = new JsonObject { ["consumers"] = new JsonArray(pod.DeepClone()) }.Deserialize(PlanningJsonContext.Default.ObservedState)!.Consumers.Single();
        waiting.Metadata.Name = "web-mix-train-x7k2p";
        waiting.Metadata.Uid = "uid-of-the-pod";
        waiting.Metadata.CreationTimestamp = observed.Now.UtcDateTime;
        waiting.Status = new V1PodStatus { Phase = "Pending" };

        var plan = Planner.Plan(observed with { Consumers = [waiting] });

        Assert.Equal(before.Current!.Version, Assert.Single(plan.Pods!.OfType<OpenGate>()).Version);
        Assert.Equal(1, plan.Status.Consumers!.Waiting);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void Labels_and_annotations_have_the_names_that_they_had(string release)
    {
        var job = Plan(release, "build").Actions.OfType<CreateJob>().Single().Job;
        string[] labels = [Labels.ManagedBy, Labels.OwnerName, Labels.Task];
        Assert.Equal(labels.Order(StringComparer.Ordinal), job.Metadata.Labels.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(labels.Order(StringComparer.Ordinal), job.Spec.Template.Metadata.Labels.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(new[] { Annotations.ContentKey, Annotations.BuildKey, Annotations.JobKey, Annotations.Attempt, Annotations.Generation }.Except(job.Metadata.Annotations.Keys));
        Assert.Contains(Annotations.Spec, job.Spec.Template.Metadata.Annotations.Keys);

        var pod = Released.Case(release, "pod").ReadYaml("expected.yaml");
        Assert.NotNull(pod["metadata"]!["labels"]![Labels.Index]);
        Assert.NotNull(pod["metadata"]!["annotations"]![Annotations.Injected]);
        Assert.Contains(pod["spec"]!["schedulingGates"]!.AsArray(), gate => (string?)gate!["name"] == SchedulingGates.IndexReady);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_build_pod_of_before_is_given_a_resource_that_todays_builder_reads(string release)
    {
        var job = Plan(release, "build").Actions.OfType<CreateJob>().Single().Job;
        var index = PretrainIndexYaml.Parse(job.Spec.Template.Metadata.Annotations[Annotations.Spec]);
        Assert.Empty(PretrainIndexValidation.Validate(index.Spec));
        Assert.Equal(Released.Case(release, "build").ReadYaml("observed.yaml")["index"]!["spec"]!["data"]!["blend"]!.AsArray().Count, index.Spec.Data.Blend!.Count);
    }

    private static Plan Plan(string release, string made)
    {
        var folder = Released.Case(release, made);
        var plan = folder.ReadYaml("plan.yaml").AsObject();
        plan["status"] = folder.ReadYaml("status.yaml");
        return plan.Deserialize(PlanningJsonContext.Default.Plan)!;
    }

    // The cluster as that release left it: its actions carried out, its status written.
    private static (ObservedState Observed, PretrainIndexStatus Status) After(string release, string made)
    {
        var plan = Plan(release, made);
        var written = Released.Case(release, made).ReadYaml("observed.yaml").AsObject();
        var observed = written.Deserialize(PlanningJsonContext.Default.ObservedState)!;
        var jobs = observed.Jobs.ToList();
        var binding = written.ContainsKey("binding") ? observed.Binding : Given.Binding(observed.Index);
        foreach (var action in plan.Actions)
        {
            switch (action)
            {
                case AttachFinalizer attached:
                    observed.Index.Metadata.Finalizers = [attached.Name];
                    break;
                case CreateJob created:
                    created.Job.Metadata.Uid = $"uid-of-{created.Job.Metadata.Name}";
                    created.Job.Metadata.CreationTimestamp = observed.Now.UtcDateTime;
                    jobs.Add(created.Job);
                    break;
                case DeleteJob deleted:
                    jobs.RemoveAll(job => job.Metadata.Uid == deleted.Uid);
                    break;
                case ApplyBinding applied:
                    binding = applied.Binding;
                    break;
                default:
                    throw new InvalidDataException($"{made}: {action} is not carried out here.");
            }
        }

        observed.Index.Status = plan.Status;
        var pods = observed.Pods.Where(pod => pod.Metadata.OwnerReferences is not [var owner] || jobs.Any(job => job.Metadata.Uid == owner.Uid)).ToList();
        return (observed with { Jobs = jobs, Pods = pods, Binding = binding }, plan.Status);
    }

    private static ObservedState Ended(ObservedState observed, JsonNode report)
    {
        var job = observed.Jobs.Single(job => job.Metadata.Uid.StartsWith("uid-of-", StringComparison.Ordinal));
        job.Status = Given.JobEnd("Complete", null, observed.Now);
        var pod = Given.Pod(job, observed.Now).With(Given.Ended(observed.Now, 0, report.ToJsonString()));
        return observed with { Pods = [.. observed.Pods, pod] };
    }
}
