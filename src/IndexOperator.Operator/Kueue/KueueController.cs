using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>
/// Takes our gate off jobs that Kueue holds without quota, once the indexes that their pods use are Ready. It writes to the job and not to
/// the Workload: Kueue copies the annotation from there, and would write it back.
/// </summary>
public sealed class KueueController(Store<PretrainIndex> indexes, ApiClient client, EventRecorder events, KueueSettings settings, ILogger<KueueController> logger) : IEntityController<KueueWorkload>
{
    /// <summary>The name of the index of Workloads by the PretrainIndexes that they wait for.</summary>
    public const string ByIndex = "by-index";

    /// <inheritdoc/>
    public async Task<ReconciliationResult<KueueWorkload>> ReconcileAsync(KueueWorkload entity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entity);
        if (KueuePolicy.IsGated(entity.Metadata.Annotations) && IsServed(entity))
        {
            await ReleaseAsync(entity, cancellationToken);
        }

        return ReconciliationResult<KueueWorkload>.Success(entity);
    }

    /// <inheritdoc/>
    public Task<ReconciliationResult<KueueWorkload>> DeletedAsync(KueueWorkload entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<KueueWorkload>.Success(entity));

    private bool IsServed(KueueWorkload workload)
    {
        var asks = workload.Asks();
        if (asks.Count == 0)
        {
            Warn(workload, PodReasons.IndexMissing, $"{KueuePolicy.GatedBy} has {KueuePolicy.Gate}, and no pod template has the label {Labels.Index}: nobody will take the gate off. Add the label, or take the name out of the annotation on the job.");
            return false;
        }

        foreach (var ask in asks)
        {
            if (indexes.Get(new ObjectKey(workload.Metadata.NamespaceProperty, ask.Index)) is not { } index)
            {
                Warn(workload, PodReasons.IndexMissing, WaitReasons.Missing(ask.Index).Message);
                return false;
            }

            if (!KueuePolicy.IsServed(index, ask))
            {
                // A change of the index asks for the next pass.
                return false;
            }
        }

        return true;
    }

    private async Task ReleaseAsync(KueueWorkload workload, CancellationToken cancellationToken)
    {
        if (workload.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Controller == true) is not { } owner || KueueResources.JobOf(owner) is not { } type)
        {
            Warn(workload, "GateNotRemoved", $"The index is Ready. This operator knows no such job as the Workload's owner: take {KueuePolicy.Gate} out of its annotation {KueuePolicy.GatedBy} by hand.");
            return;
        }

        var key = new ObjectKey(workload.Metadata.NamespaceProperty, owner.Name);
        if (await client.FindAsync(type, key, cancellationToken) is not { } job || job.Metadata.Uid != owner.Uid || !KueuePolicy.IsGated(job.Metadata.Annotations))
        {
            // It went, or Kueue has yet to copy what an earlier pass has written.
            return;
        }

        var patch = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [KueuePolicy.GatedBy] = KueuePolicy.Without(job.Metadata.Annotations[KueuePolicy.GatedBy]) } } };
        await client.MergePatchAsync(type, key, patch, job.Metadata.ResourceVersion, cancellationToken);
        logger.LogInformation("{Kind} {Job}: its index is Ready; {Gate} is taken out of {Annotation}", owner.Kind, key, KueuePolicy.Gate, KueuePolicy.GatedBy);
    }

    private void Warn(KueueWorkload workload, string reason, string note) =>
        events.Record(settings.Workloads, workload, EventKind.Warning, reason, "Release", note);
}

/// <summary>What was found of Kueue.</summary>
/// <param name="Version">The version of its API.</param>
public sealed record KueueSettings(string Version)
{
    /// <summary>Workloads of that version.</summary>
    public ResourceType<KueueWorkload> Workloads { get; } = KueueResources.Workloads(Version);
}

/// <summary>Adds the controller to the operator.</summary>
public static class KueueSetup
{
    /// <summary>Adds the controller of Workloads; after that of PretrainIndexes, whose informer it shares.</summary>
    public static IOperatorBuilder AddKueue(this IOperatorBuilder builder, string version)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var settings = new KueueSettings(version);
        builder.Services.AddSingleton(settings);
        return builder
            .AddController<KueueController, KueueWorkload>(settings.Workloads, controller =>
            {
                controller.AutoAttachFinalizers = false;
                controller.IsSettled = workload => !KueuePolicy.IsGated(workload.Metadata.Annotations);
                controller.Informer = new InformerOptions<KueueWorkload>
                {
                    IndexOwners = false,
                    Indexes = new Dictionary<string, Func<KueueWorkload, IEnumerable<string>>> { [KueueController.ByIndex] = workload => workload.IndexKeys() },
                };
            })
            .Watches<KueueWorkload, PretrainIndex>(
                Resources.PretrainIndexes,
                null,
                (index, provider) => provider.GetRequiredService<Store<KueueWorkload>>().ByIndex(KueueController.ByIndex, ObjectKey.Of(index).ToString()).Select(ObjectKey.Of));
    }
}
