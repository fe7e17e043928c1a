using System.Threading.Channels;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Operator;
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
        var informer = new Informer<V1Job>(client, KnownResources.Jobs, new InformerOptions<V1Job> { LabelSelector = Gatherer.OwnObjects });
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
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                Name = job.Metadata.Name,
                NamespaceProperty = job.Metadata.NamespaceProperty,
                Annotations = job.Spec.Template.Metadata.Annotations,
                Labels = new Dictionary<string, string>(job.Spec.Template.Metadata.Labels) { ["job-name"] = job.Metadata.Name, ["controller-uid"] = job.Metadata.Uid },
                OwnerReferences = [new V1OwnerReference { ApiVersion = "batch/v1", Kind = "Job", Name = job.Metadata.Name, Uid = job.Metadata.Uid, Controller = true }],
            },
            Spec = job.Spec.Template.Spec,
        };
        var ended = DateTime.UtcNow;
        pod = await _client.CreateAsync(KnownResources.Pods, pod, _stop.Token);
        pod.Status = new V1PodStatus
        {
            Phase = "Succeeded",
            ContainerStatuses =
            [
                new V1ContainerStatus
                {
                    Name = BuildAttempt.ContainerName,
                    Image = "i",
                    ImageID = "",
                    State = new V1ContainerState
                    {
                        Terminated = new V1ContainerStateTerminated { ExitCode = 0, Reason = "Completed", Message = Specs.Report(pod, job.Metadata.Labels[Labels.OwnerName]), StartedAt = ended, FinishedAt = ended },
                    },
                },
            ],
        };
        await _client.ReplaceAsync(KnownResources.Pods, pod, _stop.Token, "status");
        job.Status = new V1JobStatus
        {
            Succeeded = 1,
            StartTime = ended,
            CompletionTime = ended,
            Conditions = [new V1JobCondition { Type = "Complete", Status = "True", LastTransitionTime = ended }],
        };
        await _client.ReplaceAsync(KnownResources.Jobs, job, _stop.Token, "status");
    }
}
