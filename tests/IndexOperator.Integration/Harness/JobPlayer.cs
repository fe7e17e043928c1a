using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration.Harness;

/// <summary>
/// Plays scheduler and kubelet for the pods that the real controller-manager makes of Jobs: writes what they would write into pods'
/// statuses, so that Jobs complete and fail for real, and completes deletions as a kubelet does.
/// </summary>
public sealed class JobPlayer
{
    private static readonly ResourceType<V1Binding> Bindings = new("", "v1", "Binding", "bindings", RuntimeJson.TypeInfo<V1Binding>());
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ApiClient _client;
    private readonly History<V1Pod> _pods;
    private Func<V1Pod, Task>? _script;

    /// <summary>Begins to play for the pods of a namespace.</summary>
    public JobPlayer(ApiClient client, History<V1Pod> pods)
    {
        _client = client;
        _pods = pods;
        pods.OnChange(change =>
        {
            if (change.New.Metadata.DeletionTimestamp is not null && change.Kind != ChangeKind.Deleted && StopsWhenTold)
            {
                _ = KillAsync(change.New);
            }

            if (change.Kind == ChangeKind.Added && _script is { } script && change.New.Metadata.Labels?.ContainsKey(Labels.Task) == true)
            {
                _ = PlayAsync(script, change.New);
            }
        });
    }

    /// <summary>Whether pods end when they are deleted; false plays a builder that does not listen, or a lost node.</summary>
    public bool StopsWhenTold { get; set; } = true;

    /// <summary>Whether a test has seen what belongs to a pod, too, before it is given the pod: watches of several kinds are not in step.</summary>
    public Func<V1Pod, bool> IsWhole { get; init; } = _ => true;

    /// <summary>What the player could not do by itself.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>How checks end, once <see cref="EndAll"/> plays; null leaves one to the test. By default all is as it was.</summary>
    public Func<V1Pod, (int ExitCode, string Message)?> Checks { get; set; } = pod => (0, Specs.Checked(pod));

    /// <summary>How prunes and cleanups end, once <see cref="EndAll"/> plays; null leaves one to the test. By default well.</summary>
    public Func<V1Pod, (int ExitCode, string Message)?> Removals { get; set; } = _ => (0, "");

    /// <summary>Plays every pod from now on: it runs and ends so.</summary>
    /// <param name="builds">How builds end; null leaves one to the test.</param>
    public void EndAll(Func<V1Pod, (int ExitCode, string Message)?> builds) => _script = async pod =>
    {
        var outcome = IsOf(pod, BuildAttempt.BuildTask) ? builds(pod) : IsOf(pod, BuildAttempt.CheckTask) ? Checks(pod) : Removals(pod);
        if (outcome is var (code, message))
        {
            await EndAsync(pod, code, message);
        }
    };

    /// <summary>Every build succeeds from now on; the Jobs beside builds as <see cref="Checks"/> and <see cref="Removals"/> say.</summary>
    public void SucceedAll(string content = "content") => EndAll(_ => (0, Specs.Built(content)));

    /// <summary>The pod of a resource's task, as soon as there is one that has not ended. Asked of the server at last: the watch may be behind.</summary>
    public Task<V1Pod> PodAsync(string index, string task = BuildAttempt.BuildTask) => Wait.For(
        $"a {task} pod of {index}",
        async () =>
        {
            foreach (var pod in _pods.Now.Where(pod => pod.Metadata.Labels?.GetValueOrDefaultOf(Labels.OwnerName) == index && IsOf(pod, task) && IsLive(pod) && IsWhole(pod)))
            {
                if (await _client.FindAsync(KnownResources.Pods, ObjectKey.Of(pod), CancellationToken.None) is { } found && IsLive(found))
                {
                    return found;
                }
            }

            return null;
        },
        Patience);

    /// <summary>Gives the pod a node, without starting it.</summary>
    public async Task ScheduleAsync(V1Pod pod)
    {
        try
        {
            await _client.CreateAsync(
                Bindings,
                new V1Binding
                {
                    Metadata = new V1ObjectMeta { Name = pod.Metadata.Name, NamespaceProperty = pod.Metadata.NamespaceProperty },
                    Target = new V1ObjectReference { ApiVersion = "v1", Kind = "Node", Name = FakeNode.Name },
                },
                CancellationToken.None);
        }
        catch (ApiException error) when (error.Code == 409)
        {
            // It has one.
        }
    }

    /// <summary>Schedules the pod and starts its container.</summary>
    public async Task RunAsync(V1Pod pod)
    {
        await ScheduleAsync(pod);
        await StatusAsync(pod, "Running", new JsonObject { ["running"] = new JsonObject { ["startedAt"] = Now() } });
    }

    /// <summary>Ends the pod's container.</summary>
    public async Task EndAsync(V1Pod pod, int exitCode, string message, string? reason = null)
    {
        await ScheduleAsync(pod);
        var terminated = new JsonObject
        {
            ["exitCode"] = exitCode,
            ["reason"] = reason ?? (exitCode == 0 ? "Completed" : "Error"),
            ["message"] = message,
            ["startedAt"] = Now(),
            ["finishedAt"] = Now(),
        };
        await StatusAsync(pod, exitCode == 0 ? "Succeeded" : "Failed", new JsonObject { ["terminated"] = terminated });
    }

    /// <summary>The pod's container cannot start.</summary>
    public async Task WaitingAsync(V1Pod pod, string reason, string message)
    {
        await ScheduleAsync(pod);
        await StatusAsync(pod, "Pending", new JsonObject { ["waiting"] = new JsonObject { ["reason"] = reason, ["message"] = message } });
    }

    /// <summary>No node fits the pod.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="message">The scheduler's words.</param>
    /// <param name="since">Since when; null for now.</param>
    public Task UnschedulableAsync(V1Pod pod, string message, DateTime? since = null) => PatchAsync(pod, new JsonObject
    {
        ["conditions"] = new JsonArray(new JsonObject
        {
            ["type"] = "PodScheduled",
            ["status"] = "False",
            ["reason"] = "Unschedulable",
            ["message"] = message,
            ["lastTransitionTime"] = since is { } at ? Text(at) : Now(),
        }),
    });

    /// <summary>The kubelet throws the pod out.</summary>
    public async Task EvictAsync(V1Pod pod, string message)
    {
        await ScheduleAsync(pod);
        await PatchAsync(pod, new JsonObject { ["phase"] = "Failed", ["reason"] = "Evicted", ["message"] = message });
    }

    /// <summary>The pod is gone from its node: the kubelet's last word.</summary>
    public async Task KillAsync(V1Pod pod)
    {
        try
        {
            await _client.DeleteAsync(KnownResources.Pods, ObjectKey.Of(pod), CancellationToken.None, uid: pod.Metadata.Uid, gracePeriodSeconds: 0);
        }
        catch (ApiException error) when (error.IsNotFound || error.IsConflict)
        {
            // Another had the last word.
        }
    }

    private async Task PlayAsync(Func<V1Pod, Task> script, V1Pod pod)
    {
        try
        {
            await script(pod);
        }
#pragma warning disable CA1031 // nobody awaits it: the test that waits in vain tells it
        catch (Exception error)
#pragma warning restore CA1031
        {
            Faults.Enqueue($"player on {pod.Metadata.Name}: {error.Message}");
        }
    }

    private static bool IsLive(V1Pod pod) => pod.Metadata.DeletionTimestamp is null && pod.Status?.Phase is not ("Succeeded" or "Failed");

    private static bool IsOf(V1Pod pod, string task) => pod.Metadata.Labels?.GetValueOrDefaultOf(Labels.Task) == task;

    private static string Now() => Text(DateTime.UtcNow);

    private static string Text(DateTime at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private Task StatusAsync(V1Pod pod, string phase, JsonObject state) => PatchAsync(pod, new JsonObject
    {
        ["phase"] = phase,
        ["startTime"] = Now(),
        ["conditions"] = new JsonArray(new JsonObject { ["type"] = "PodScheduled", ["status"] = "True" }),
        ["containerStatuses"] = new JsonArray(new JsonObject
        {
            ["name"] = pod.Spec.Containers[0].Name,
            ["image"] = pod.Spec.Containers[0].Image,
            ["imageID"] = "",
            ["ready"] = phase == "Running",
            ["restartCount"] = 0,
            ["state"] = state,
        }),
    });

    private async Task PatchAsync(V1Pod pod, JsonObject status) => await _client.MergePatchAsync(
        KnownResources.Pods, ObjectKey.Of(pod), new JsonObject { ["status"] = status }, null, CancellationToken.None, "status");
}
