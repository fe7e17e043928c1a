using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>What of a plan could not be done and is not waited for.</summary>
/// <param name="Expansion">What the API server said to a larger claim; null when it said nothing.</param>
/// <param name="Binding">Why the binding could not be written; null when it could.</param>
public sealed record NotDone(ApiException? Expansion, ApiException? Binding)
{
    /// <summary>Whether everything was done.</summary>
    public bool IsNothing => this is { Expansion: null, Binding: null };
}

/// <summary>Carries out a plan's actions, one by one. Each may have been done before: by an earlier pass, or by another leader.</summary>
public sealed class PlanApplier(ApiClient client, OwnWrites ownWrites, BindingWriter bindings, TimeProvider time, ILogger<PlanApplier> logger)
{
    private readonly ConcurrentDictionary<ObjectKey, (string Size, DateTimeOffset At)> _expansionsRefused = new();

    /// <summary>
    /// Carries out the actions in order; the first that fails ends it, but for a claim that is to be made larger and for the binding: nothing
    /// waits for those.
    /// </summary>
    /// <returns>Why those could not be done.</returns>
    /// <exception cref="ApiException">The API server refused an action.</exception>
    public async Task<NotDone> ApplyAsync(PretrainIndex index, IReadOnlyList<PlannedAction> actions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(actions);
        var notDone = new NotDone(null, null);
        var isOfNow = false;
        foreach (var action in actions)
        {
            try
            {
                if (!isOfNow && IsBuild(action))
                {
                    await EnsureOfNowAsync(index, cancellationToken);
                    isOfNow = true;
                }

                index = await ApplyAsync(index, action, cancellationToken);
                // The patch of the finalizers names the version that it is computed from: that it was taken shows the plan to be of now.
                isOfNow |= action is AttachFinalizer;
            }
            catch (ApiException error) when (action is ExpandClaim && !error.IsConflict)
            {
                notDone = notDone with { Expansion = error };
            }
            catch (ApiException error) when (action is ApplyBinding && !error.IsConflict)
            {
                notDone = notDone with { Binding = error };
            }
        }

        return notDone;
    }

    private async Task<PretrainIndex> ApplyAsync(PretrainIndex index, PlannedAction action, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(index);
        switch (action)
        {
            case AttachFinalizer attach:
                index = await Runtime.Finalizers.AttachAsync(client, Resources.PretrainIndexes, index, [attach.Name], cancellationToken);
                ownWrites.Wrote(index);
                break;
            case DetachFinalizer detach:
                index = await Runtime.Finalizers.DetachAsync(client, Resources.PretrainIndexes, index, detach.Name, cancellationToken);
                ownWrites.Wrote(index);
                break;
            case CreateClaim create:
                await CreateOnceAsync(KnownResources.PersistentVolumeClaims, create.Claim, cancellationToken);
                logger.LogInformation("{Index}: created claim {Claim}", key, create.Claim.Metadata.Name);
                break;
            case ExpandClaim expand:
                await ExpandAsync(key, expand, cancellationToken);
                break;
            case CreateJob create:
                await CreateJobAsync(key, create, cancellationToken);
                break;
            case DeleteJob delete:
                await DeleteJobAsync(key, delete, cancellationToken);
                break;
            case ApplyBinding apply:
                await bindings.ApplyAsync(index, apply.Binding, cancellationToken);
                break;
            default:
                throw new UnreachableException($"No way to carry out {action.GetType().Name}.");
        }

        return index;
    }

    private static bool IsBuild(PlannedAction action) =>
        action is CreateJob create && create.Job.Metadata.Labels?.TryGetValue(Labels.Task, out var task) == true && task == BuildAttempt.BuildTask;

    // Each informer lags by itself: a replica that has just taken over may see that a Job is gone and not yet the status or the spec that
    // let it go, and would build once more. One read is cheap beside a build.
    private async Task EnsureOfNowAsync(PretrainIndex index, CancellationToken cancellationToken)
    {
        var now = await client.FindAsync(Resources.PretrainIndexes, ObjectKey.Of(index), cancellationToken);
        if (now?.Metadata.Uid != index.Metadata.Uid || now?.Metadata.ResourceVersion != index.Metadata.ResourceVersion)
        {
            throw new ApiException(409, "Conflict", $"{ObjectKey.Of(index)} has changed since the build was planned; it is planned again.");
        }
    }

    private async Task ExpandAsync(ObjectKey index, ExpandClaim expand, CancellationToken cancellationToken)
    {
        var (claim, size) = (new ObjectKey(index.Namespace, expand.Name), expand.Size.ToString());
        // A build is looked at every few seconds; a storage class that cannot expand says so each time.
        if (_expansionsRefused.TryGetValue(claim, out var refused) && refused.Size == size && time.GetUtcNow() - refused.At < ClaimPolicy.ExpansionPause)
        {
            return;
        }

        try
        {
            var patch = new JsonObject { ["spec"] = new JsonObject { ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["storage"] = size } } } };
            await client.MergePatchAsync(KnownResources.PersistentVolumeClaims, claim, patch, resourceVersion: null, cancellationToken);
            _expansionsRefused.TryRemove(claim, out _);
        }
        catch (ApiException error) when (!error.IsConflict)
        {
            _expansionsRefused[claim] = (size, time.GetUtcNow());
            throw;
        }

        logger.LogInformation("{Index}: asked for {Size} behind claim {Claim}", index, expand.Size, expand.Name);
    }

    private async Task CreateJobAsync(ObjectKey index, CreateJob create, CancellationToken cancellationToken)
    {
        if (create.Spec is { } spec)
        {
            await CreateOnceAsync(KnownResources.ConfigMaps, spec, cancellationToken);
        }

        var job = WithTrace(create.Job);
        var made = await CreateOnceAsync(KnownResources.Jobs, job, cancellationToken);
        var created = made ?? await client.GetAsync(KnownResources.Jobs, ObjectKey.Of(job), cancellationToken);
        if (created.Metadata.OwnerReferences?.Any(owner => owner.Uid == job.Metadata.OwnerReferences[0].Uid) != true)
        {
            throw new ApiException(409, "AlreadyExists", $"Job {job.Metadata.Name} exists and is not this operator's. Delete or rename it.");
        }

        ownWrites.Created(index, created);
        if (made is not null)
        {
            logger.LogInformation("{Index}: created Job {Job}", index, job.Metadata.Name);
        }
    }

    private async Task DeleteJobAsync(ObjectKey index, DeleteJob delete, CancellationToken cancellationToken)
    {
        var name = new ObjectKey(index.Namespace, delete.Name);
        await DeleteOnceAsync(KnownResources.Jobs, name, delete.Uid, cancellationToken);
        ownWrites.Deleted(index, delete.Uid);
        if (delete.HasSpec)
        {
            await DeleteOnceAsync(KnownResources.ConfigMaps, name, null, cancellationToken);
        }

        logger.LogInformation("{Index}: deleted Job {Job}: {Because}", index, delete.Name, delete.Because);
    }

    // Null where an object of that name is there already.
    private async Task<T?> CreateOnceAsync<T>(ResourceType<T> type, T entity, CancellationToken cancellationToken)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return await client.CreateAsync(type, entity, cancellationToken);
        }
        catch (ApiException error) when (error.IsAlreadyExists)
        {
            logger.LogDebug("{Type} {Key} is there already", type, ObjectKey.Of(entity));
            return null;
        }
    }

    private async Task DeleteOnceAsync<T>(ResourceType<T> type, ObjectKey key, string? uid, CancellationToken cancellationToken)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            await client.DeleteAsync(type, key, cancellationToken, PropagationPolicy.Background, uid);
        }
        catch (ApiException error) when (error.IsNotFound || error.IsConflict)
        {
            // Gone already, or another object stands under the name: either way there is nothing of ours to delete.
            logger.LogDebug("{Type} {Key} was not there to be deleted: {Reason}", type, key, error.Reason);
        }
    }

    // The build's trace goes on in the pod: whoever reads its log finds the pass that asked for it.
    private static V1Job WithTrace(V1Job job)
    {
        if (Activity.Current?.Id is { } trace)
        {
            job.Metadata.Annotations = new Dictionary<string, string>(job.Metadata.Annotations ?? new Dictionary<string, string>()) { [Annotations.TraceParent] = trace };
            var container = job.Spec.Template.Spec.Containers[0];
            container.Env = [.. container.Env ?? [], new V1EnvVar { Name = "TRACEPARENT", Value = trace }];
        }

        return job;
    }
}
