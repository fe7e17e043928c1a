using System.Text.Json.Nodes;
using System.Threading.Channels;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

namespace OperatorBench;

/// <summary>
/// Plays Job controller, scheduler and kubelet: every Job gets one pod that has ended well with a report, and is complete.
/// Three requests a Job, far fewer than the real ones need, so that the operator is what is measured.
/// </summary>
internal sealed class Player : IAsyncDisposable
{
    private const int Workers = 12;

    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<V1Job> _jobs = Channel.CreateUnbounded<V1Job>();
    private readonly ApiClient _client;
    private readonly Task _run;

    public Player(ApiClient client)
    {
        _client = client;
        var informer = new Informer<V1Job>(client, KnownResources.Jobs, new InformerOptions<V1Job> { LabelSelector = $"{Labels.ManagedBy}={Labels.ManagedByValue}" });
        informer.AddHandler(change =>
        {
            if (change.Kind == ChangeKind.Added && change.New.Status?.Succeeded is null)
            {
                _jobs.Writer.TryWrite(change.New);
            }
        });
        _run = Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync()).Append(informer.RunAsync(_stop.Token)));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _jobs.Writer.TryComplete();
        await _run;
        _stop.Dispose();
    }

    private async Task WorkAsync()
    {
        try
        {
            await foreach (var job in _jobs.Reader.ReadAllAsync(_stop.Token))
            {
                await CompleteAsync(job);
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private async Task CompleteAsync(V1Job job)
    {
        var now = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                Name = job.Metadata.Name,
                NamespaceProperty = job.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string>(job.Spec.Template.Metadata.Labels) { ["job-name"] = job.Metadata.Name, ["controller-uid"] = job.Metadata.Uid },
                OwnerReferences = [new V1OwnerReference { ApiVersion = "batch/v1", Kind = "Job", Name = job.Metadata.Name, Uid = job.Metadata.Uid, Controller = true }],
            },
            Spec = job.Spec.Template.Spec,
        };
        var key = ObjectKey.Of(job);
        await _client.CreateAsync(KnownResources.Pods, pod, _stop.Token);
        var state = new JsonObject
        {
            ["terminated"] = new JsonObject { ["exitCode"] = 0, ["reason"] = "Completed", ["message"] = Specs.Built(job.Metadata.Labels[Labels.OwnerName]), ["startedAt"] = now, ["finishedAt"] = now },
        };
        await PatchAsync(KnownResources.Pods, key, new JsonObject
        {
            ["phase"] = "Succeeded",
            ["containerStatuses"] = new JsonArray(new JsonObject
            {
                ["name"] = BuildAttempt.ContainerName,
                ["image"] = "i",
                ["imageID"] = "",
                ["ready"] = false,
                ["restartCount"] = 0,
                ["state"] = state,
            }),
        });
        await PatchAsync(KnownResources.Jobs, key, new JsonObject
        {
            ["succeeded"] = 1,
            ["startTime"] = now,
            ["completionTime"] = now,
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Complete", ["status"] = "True", ["lastTransitionTime"] = now }),
        });
    }

    private Task<T> PatchAsync<T>(ResourceType<T> type, ObjectKey key, JsonObject status)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> =>
        _client.MergePatchAsync(type, key, new JsonObject { ["status"] = status }, null, _stop.Token, "status");
}
