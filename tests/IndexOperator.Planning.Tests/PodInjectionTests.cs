using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

/// <summary>What golden-pods/ cannot show: what happens between two looks at one pod, and the edges of sizes and names.</summary>
public sealed class PodInjectionTests
{
    private static readonly InjectionSettings Old = new() { SchedulingGates = false };

    [Fact]
    public void A_pod_that_the_API_server_and_other_webhooks_have_filled_in_meanwhile_gets_nothing_a_second_time()
    {
        var pod = Patched(Pod(annotations: (Annotations.Staging, "Memory"), secondAnnotation: (Annotations.StagingSize, "1Gi")), Old);

        // Defaults, a mirror of the registry, a token, a sidecar in front.
        foreach (var container in Containers(pod, "initContainers"))
        {
            container["image"] = "mirror.example/" + container["image"];
            container["terminationMessagePath"] = "/dev/termination-log";
            container["volumeMounts"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "kube-api-access", ["mountPath"] = "/var/run/secrets/kubernetes.io/serviceaccount", ["readOnly"] = true });
        }

        foreach (var volume in pod["spec"]!["volumes"]!.AsArray().OfType<JsonObject>().Where(volume => volume["downwardAPI"] is not null))
        {
            volume["downwardAPI"]!["defaultMode"] = 420;
        }

        Containers(pod, "containers").Single()["resources"]!["requests"]!["memory"] = "1Gi";
        pod["spec"]!["volumes"]!.AsArray().OfType<JsonObject>().Single(volume => volume["emptyDir"] is not null)["emptyDir"]!["sizeLimit"] = "1Gi";
        Assert.IsType<InjectionResult.Unchanged>(Inject(pod, Old));

        pod["spec"]!["initContainers"]!.AsArray().Insert(0, new JsonObject { ["name"] = "proxy", ["image"] = "proxy", ["restartPolicy"] = "Always" });
        var again = Patched(pod, Old);
        Assert.Equal([InjectedNames.WaitContainer, InjectedNames.StageContainer, "proxy"], Containers(again, "initContainers").Select(container => (string)container["name"]!));
        Assert.Equal("1Gi", (string?)Containers(again, "containers").Single()["resources"]!["requests"]!["memory"]);
    }

    [Fact]
    public void A_version_that_became_current_between_two_looks_does_not_change_the_disk()
    {
        var pod = Pod(annotations: (Annotations.Staging, "Memory"));
        var once = Assert.IsType<InjectionResult.Patched>(PodInjection.Inject(pod, "training", Sized(1L << 30), new InjectionSettings())).Pod;
        Assert.IsType<InjectionResult.Unchanged>(PodInjection.Inject(once, "training", Sized(1L << 33), new InjectionSettings()));
    }

    [Fact]
    public void Our_init_containers_meet_the_restricted_standard_and_a_quota()
    {
        var pod = Patched(Pod(annotations: (Annotations.Staging, "Memory"), secondAnnotation: (Annotations.StagingSize, "1Gi")), Old);
        var ours = Containers(pod, "initContainers").ToList();
        Assert.Equal(2, ours.Count);
        Assert.All(ours, container =>
        {
            var security = container["securityContext"]!;
            Assert.True((bool)security["runAsNonRoot"]!);
            Assert.True((long)security["runAsUser"]! > 0);
            Assert.False((bool)security["allowPrivilegeEscalation"]!);
            Assert.True((bool)security["readOnlyRootFilesystem"]!);
            Assert.Equal("ALL", (string?)security["capabilities"]!["drop"]![0]);
            Assert.Equal("RuntimeDefault", (string?)security["seccompProfile"]!["type"]);
            Assert.True(JsonNode.DeepEquals(container["resources"]!["requests"], container["resources"]!["limits"]));
            Assert.Equal(["cpu", "memory"], container["resources"]!["limits"]!.AsObject().Select(amount => amount.Key));
        });
        Assert.Equal("1152Mi", (string?)ours[1]["resources"]!["limits"]!["memory"]);
    }

    [Theory]
    [InlineData("1Gi", "1024Mi")]
    [InlineData("1.5Gi", "1536Mi")]
    [InlineData("2G", "2000000000")]
    [InlineData("1e9", "1000000000")]
    [InlineData("1E3", "1000")]
    [InlineData("100Ki", "102400")]
    [InlineData("1k", "1000")]
    [InlineData("1500m", "2")]
    [InlineData(".5Gi", "512Mi")]
    [InlineData("+1Mi", "1Mi")]
    public void A_size_is_read_as_Kubernetes_reads_quantities(string asked, string limit)
    {
        var pod = Patched(Pod(annotations: (Annotations.Staging, "Memory"), secondAnnotation: (Annotations.StagingSize, asked)));
        Assert.Equal(limit, (string?)pod["spec"]!["volumes"]!.AsArray().OfType<JsonObject>().Single(volume => volume["emptyDir"] is not null)["emptyDir"]!["sizeLimit"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1Gi\n")]
    [InlineData("1 Gi")]
    [InlineData("-1Gi")]
    [InlineData("1gi")]
    [InlineData("1e99")]
    [InlineData("1e999999999")]
    [InlineData("9Ei")]
    [InlineData("NaN")]
    [InlineData("١Gi")]
    [InlineData("99999999999999999999999999999999999999999999999999")]
    public void What_is_no_size_or_none_that_a_node_has_is_refused(string asked) =>
        Assert.Contains(Annotations.StagingSize, Refused(Pod(annotations: (Annotations.Staging, "Memory"), secondAnnotation: (Annotations.StagingSize, asked))).Message, StringComparison.Ordinal);

    [Fact]
    public void An_index_that_does_not_exist_is_waited_for_and_one_whose_size_is_not_known_too()
    {
        var absent = Assert.IsType<InjectionResult.Refused>(PodInjection.Inject(Pod(), "training", null, new InjectionSettings()));
        Assert.Equal((true, false), (absent.UntilIndexExists, absent.UntilIndexReady));

        var unbuilt = Assert.IsType<InjectionResult.Refused>(PodInjection.Inject(Pod(annotations: (Annotations.Staging, "Memory")), "training", Given.Index(), new InjectionSettings()));
        Assert.Equal((false, true), (unbuilt.UntilIndexExists, unbuilt.UntilIndexReady));

        // What is wrong with the pod itself is told first: no index will mend it.
        var wrong = Assert.IsType<InjectionResult.Refused>(PodInjection.Inject(Pod(annotations: (Annotations.Staging, "Disk")), "training", null, new InjectionSettings()));
        Assert.False(wrong.UntilIndexExists);
    }

    [Fact]
    public void A_spec_that_cannot_be_read_is_no_index_to_mount()
    {
        var index = Given.Index();
        index.Unreadable = "spec.cache.claimTemplate.size: is no quantity.";
        Assert.Contains("is no quantity", Assert.IsType<InjectionResult.Refused>(PodInjection.Inject(Pod(), "training", index, new InjectionSettings())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_from_outside_does_not_reach_a_terminal_as_it_is()
    {
        var refused = Refused(Pod(annotations: (Annotations.Containers, "\u001b[31m\u202e" + new string('x', 5000))));
        Assert.DoesNotContain(refused.Message, char.IsControl);
        Assert.DoesNotContain('\u202e', refused.Message);
        Assert.True(refused.Message.Length < 1000);
    }

    private static PretrainIndex Sized(long bytes) => Given.Published(Given.Index(), status => status with { Current = status.Current! with { SizeBytes = bytes } });

    private static InjectionResult Inject(JsonObject pod, InjectionSettings? settings = null) => PodInjection.Inject(pod, "training", Given.Index(), settings ?? new InjectionSettings());

    private static JsonObject Patched(JsonObject pod, InjectionSettings? settings = null) => Assert.IsType<InjectionResult.Patched>(Inject(pod, settings)).Pod;

    private static InjectionResult.Refused Refused(JsonObject pod) => Assert.IsType<InjectionResult.Refused>(Inject(pod));

    private static IEnumerable<JsonObject> Containers(JsonObject pod, string kind) => pod["spec"]![kind]!.AsArray().Cast<JsonObject>();

    private static JsonObject Pod((string Name, string Value)? annotations = null, (string Name, string Value)? secondAnnotation = null)
    {
        var metadata = new JsonObject { ["name"] = "trainer", ["labels"] = new JsonObject { [Labels.Index] = "web-mix" } };
        foreach (var annotation in new[] { annotations, secondAnnotation })
        {
            if (annotation is { } given)
            {
                metadata["annotations"] ??= new JsonObject();
                metadata["annotations"]![given.Name] = given.Value;
            }
        }

        return new JsonObject { ["metadata"] = metadata, ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "train", ["image"] = "train" }) } };
    }
}
