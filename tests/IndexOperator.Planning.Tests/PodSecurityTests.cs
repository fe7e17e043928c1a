using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.TestSupport;
using k8s;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>Every pod that the operator can ask for keeps the restricted Pod Security Standard, and what the webhook adds breaks nothing of it.</summary>
public sealed class PodSecurityTests
{
    private const string Plans = "tests/IndexOperator.Planning.Tests/golden";
    private const string Pods = "tests/IndexOperator.Planning.Tests/golden-pods";

    private static readonly string[] Ours = [InjectedNames.WaitContainer, InjectedNames.StageContainer];

    [Fact]
    public void Every_Job_of_every_plan_keeps_it()
    {
        var tasks = new HashSet<string>();
        foreach (var folder in GoldenCase.All(Plans))
        {
            foreach (var job in folder.ReadYaml("plan.yaml")["actions"] is JsonArray actions ? actions.Select(action => action!["job"]).OfType<JsonObject>() : [])
            {
                var template = job["spec"]!["template"]!;
                Assert.True(OwnPods.Faults(template) is { Count: 0 }, $"{folder.Name}: {string.Join("; ", OwnPods.Faults(template))}");
                tasks.Add((string)template["metadata"]!["labels"]![Labels.Task]!);
            }
        }

        Assert.Equal([BuildAttempt.BuildTask, BuildAttempt.CheckTask, BuildAttempt.CleanupTask, BuildAttempt.PruneTask], tasks.Order(StringComparer.Ordinal));
    }

    public static TheoryData<string> Builds => [.. Asked.Keys];

    // What a person may write into spec.build, and what they might try with it.
    private static readonly Dictionary<string, BuildSpec> Asked = new()
    {
        ["every field"] = new BuildSpec
        {
            Gpus = 1,
            PodLabels = new Dictionary<string, string> { ["team"] = "a", [Labels.ManagedBy] = "me" },
            PodAnnotations = new Dictionary<string, string> { ["example.com/note"] = "\u001b[31m${HOME}`id`" },
            PodSecurityContext = new BuildPodSecurityContext { RunAsUser = 1, RunAsGroup = 0, FsGroup = 0, SupplementalGroups = [0] },
            RuntimeClassName = "nvidia",
            SchedulerName = "mine",
            PriorityClassName = "high",
            ImagePullSecrets = [new V1LocalObjectReference { Name = "registry" }],
            Resources = new V1ResourceRequirements { Limits = new Dictionary<string, ResourceQuantity> { ["memory"] = new("1Gi"), ["cpu"] = new("1") } },
        },
        ["user 0"] = new BuildSpec { PodSecurityContext = new BuildPodSecurityContext { RunAsUser = 0 } },
        ["no AppArmor"] = Annotated("container.apparmor.security.beta.kubernetes.io/index-builder", "unconfined"),
        ["no seccomp for the pod"] = Annotated("seccomp.security.alpha.kubernetes.io/pod", "unconfined"),
        ["no seccomp for the container"] = Annotated("container.seccomp.security.alpha.kubernetes.io/index-builder", "unconfined"),
        ["AppArmor as usual"] = Annotated("container.apparmor.security.beta.kubernetes.io/index-builder", "runtime/default"),
        ["an AppArmor profile of the node's"] = Annotated("container.apparmor.security.beta.kubernetes.io/index-builder", "localhost/strict"),
        ["an own image"] = new BuildSpec { Custom = new CustomBuildSpec { Image = "x", Env = [new V1EnvVar { Name = "A", ValueFrom = new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = "s", Key = "k" } } }] } },
    };

    [Theory]
    [MemberData(nameof(Builds))]
    public void What_a_person_asks_for_is_restricted_or_refused(string asked)
    {
        var index = Given.Index(spec => spec with { Build = Asked[asked] });
        if (PretrainIndexValidation.Validate(index.Spec).Count > 0)
        {
            // No plan has a Job of it: SpecPolicy is asked first.
            Assert.DoesNotContain(Planner.Plan(Given.Observed(index)).Actions, action => action is CreateJob);
            return;
        }

        var template = Json(BuildJobManifest.Build(Given.Observed(index), WantedBuild.Of(index), 1));
        Assert.Empty(OwnPods.Faults(template));

        // No program of theirs runs: the image is the operator's, and the image's own entry point.
        var container = Assert.Single(PodSecurity.Containers(template["spec"]!));
        Assert.Equal(new PlannerSettings().BuilderImage, (string?)container["image"]);
        Assert.Null(container["command"]);
        Assert.Null(container["lifecycle"]);
    }

    [Fact]
    public void What_a_person_writes_is_no_reference_to_a_variable_of_the_pod()
    {
        var index = Given.Index(spec => spec with
        {
            Data = spec.Data with { MountPath = "/data/$(POD_NAME)/$$", Blend = [new BlendEntry { Prefix = "/data/$(POD_NAME)/$$/a" }] },
            Cache = spec.Cache with { SubPath = "$(POD_NAME)/$HOME" },
        });
        Assert.Empty(PretrainIndexValidation.Validate(index.Spec));
        var arguments = Given.Job(index).Spec.Template.Spec.Containers[0].Args;
        Assert.Contains("/data/$$(POD_NAME)/$$$=/index-operator/data", arguments);
        Assert.Contains("/index-operator/cache/$$(POD_NAME)/$HOME", arguments);
        Assert.Equal(1, arguments.Count(argument => argument.Contains("$(", StringComparison.Ordinal) && !argument.Contains("$$(", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("user 0")]
    [InlineData("no AppArmor")]
    [InlineData("no seccomp for the pod")]
    [InlineData("no seccomp for the container")]
    [InlineData("an own image")]
    public void What_would_break_it_is_refused(string asked) => Assert.Single(PretrainIndexValidation.Validate(Given.Index(spec => spec with { Build = Asked[asked] }).Spec));

    [Fact]
    public void What_is_injected_breaks_nothing_that_a_pod_kept()
    {
        var containers = 0;
        foreach (var folder in GoldenCase.All(Pods).Where(folder => File.Exists(Path.Combine(RepositoryRoot.PathOf(Pods), folder.Name, "expected.yaml"))))
        {
            var (before, after) = (folder.ReadYaml("pod.yaml"), folder.ReadYaml("expected.yaml"));
            foreach (var profile in Enum.GetValues<PodSecurityProfile>())
            {
                Assert.Equal([], PodSecurity.Violations(after, profile).Except(PodSecurity.Violations(before, profile)).Select(fault => $"{folder.Name}: {fault}"));
            }

            var there = PodSecurity.Containers(before["spec"]!).Select(container => (string?)container["name"]).ToHashSet();
            foreach (var ours in PodSecurity.Containers(after["spec"]!).Where(container => Ours.Contains((string?)container["name"]) && !there.Contains((string?)container["name"])))
            {
                Assert.Equal([], OwnPods.OfContainer(ours).Select(fault => $"{folder.Name}: {fault}"));
                Assert.NotNull(ours["resources"]!["limits"]!["memory"]);
                Assert.DoesNotContain(ours["volumeMounts"]!.AsArray(), mount => (string?)mount!["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount");
                containers++;
            }
        }

        Assert.True(containers >= Ours.Length, $"{containers} init containers were looked at");
    }

    private static BuildSpec Annotated(string name, string value) => new() { PodAnnotations = new Dictionary<string, string> { [name] = value } };

    private static JsonNode Json(CreateJob create) => JsonNode.Parse(KubernetesJson.Serialize(create.Job))!["spec"]!["template"]!;
}
