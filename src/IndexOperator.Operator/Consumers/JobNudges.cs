using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>
/// Makes the Job controller look again at Jobs whose pods were refused, as soon as their index is there: it waits ten seconds after the
/// first refusal, and then ever longer. Any change of a Job makes it look at once, so an annotation is written. The replica that refused
/// does it, leading or not.
/// </summary>
public sealed class JobNudges : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly WorkQueue<ObjectKey> _queue;
    private readonly Informer<PretrainIndex> _indexes;
    private readonly RefusedJobs _refused;
    private readonly ApiClient _client;
    private readonly ILogger _logger;

    /// <summary>Made by dependency injection.</summary>
    public JobNudges(
        Informer<PretrainIndex> indexes,
        RefusedJobs refused,
        [FromKeyedServices(OperatorServiceCollectionExtensions.UnfencedClient)] ApiClient client,
        TimeProvider time,
        ILogger<JobNudges> logger)
    {
        ArgumentNullException.ThrowIfNull(indexes);
        _queue = new WorkQueue<ObjectKey>(new WorkQueueOptions { Name = "job-nudges", BackoffBase = RetryAfter }, time);
        _indexes = indexes;
        _refused = refused;
        _client = client;
        _logger = logger;
    }

    /// <summary>Looks whether Jobs that wait for an index need not wait any longer.</summary>
    public void Look(ObjectKey index) => _queue.Add(index);

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _queue.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _indexes.AddHandler(change =>
        {
            if (change.Kind != ChangeKind.Deleted && _refused.Any(change.Key))
            {
                Look(change.Key);
            }
        });
        try
        {
            while (await _queue.TakeAsync(stoppingToken) is (true, var key))
            {
                await NudgeAsync(key, stoppingToken);
                _queue.Done(key);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The Job controller comes back by itself.
        }
    }

    private async Task NudgeAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_indexes.Store.Get(key) is not { } index)
        {
            return;
        }

        var isReady = index.Status?.Conditions?.Any(condition => condition is { Type: ConditionTypes.Ready, Status: "True" }) == true;
        var failed = false;
        foreach (var job in _refused.Take(key, isReady))
        {
            failed |= !await NudgeAsync(job, index, cancellationToken) && Keep(key, job);
        }

        if (failed)
        {
            _queue.AddRateLimited(key);
        }
        else
        {
            _queue.Forget(key);
        }
    }

    private bool Keep(ObjectKey key, RefusedJob job)
    {
        _refused.Add(key, job);
        return true;
    }

    private async Task<bool> NudgeAsync(RefusedJob job, PretrainIndex index, CancellationToken cancellationToken)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                // The server refuses the patch of another Job of that name.
                ["uid"] = job.Uid,
                ["annotations"] = new JsonObject { [Annotations.IndexSeen] = index.Metadata.ResourceVersion },
            },
        };
        try
        {
            await _client.MergePatchAsync(KnownResources.Jobs, job.Job, patch, null, cancellationToken);
            _logger.LogInformation("Job {Job} is looked at again: PretrainIndex {Index} is there", job.Job, ObjectKey.Of(index));
            return true;
        }
        catch (ApiException refusal) when (refusal.Code is >= 400 and < 500 and not 429)
        {
            _logger.LogDebug("Job {Job} was not told of its index: {Problem}", job.Job, refusal.Message);
            return true;
        }
#pragma warning disable CA1031 // tried again; whatever failed must not end the others
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            _logger.LogWarning("Job {Job} could not be told of its index, and is tried again: {Problem}", job.Job, error.Message);
            return false;
        }
    }
}
