using System.Globalization;
using IndexOperator.Api.Training;

namespace IndexOperator.Api;

/// <summary>A field that cannot be carried out as written.</summary>
/// <param name="Field">Path in the resource, for example <c>spec.data.blend[1].weight</c>.</param>
/// <param name="Message">What is wrong and what to write instead.</param>
public sealed record FieldError(string Field, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field}: {Message}";
}

/// <summary>
/// The rules of the spec that need nothing but the spec. The API server checks most of them at admission (schema and CEL); older
/// ones know no CEL and laptops have no API server, so operator and builder check them all, with the same words.
/// </summary>
public static class PretrainIndexValidation
{
    /// <summary>How many errors are told at once; more would not fit a condition's message.</summary>
    public const int MaxErrors = 10;

    /// <summary>Every broken rule, first <see cref="MaxErrors"/>; empty when the spec can be carried out.</summary>
    public static IReadOnlyList<FieldError> Validate(PretrainIndexSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Rules(spec).Take(MaxErrors).ToList();
    }

    private static IEnumerable<FieldError> Rules(PretrainIndexSpec spec) =>
        DataRules(spec).Concat(DatasetRules(spec)).Concat(CacheRules(spec.Cache)).Concat(BuildRules(spec.Build));

    private static IEnumerable<FieldError> DataRules(PretrainIndexSpec spec)
    {
        var data = spec.Data;
        if (string.IsNullOrEmpty(data.ClaimName))
        {
            yield return new("spec.data.claimName", "is missing. Name the PersistentVolumeClaim that holds the .bin/.idx files.");
        }

        foreach (var error in PathRules.MountPath("spec.data.mountPath", data.MountPath).Concat(PathRules.SubPath("spec.data.subPath", data.SubPath)))
        {
            yield return error;
        }

        if (data.Blend is null == data.BlendPerSplit is null)
        {
            yield return new("spec.data", data.Blend is null
                ? "has neither blend nor blendPerSplit. Set exactly one of them."
                : "has both blend and blendPerSplit. Set exactly one of them: blend with dataset.split, or blendPerSplit without it.");
        }

        var lists = data.BlendPerSplit is { } each
            ? new[] { ("blendPerSplit.train", each.Train), ("blendPerSplit.validation", each.Validation), ("blendPerSplit.test", each.Test) }
            : [];
        if (data.BlendPerSplit is not null && lists.All(list => list.Item2 is null))
        {
            yield return new("spec.data.blendPerSplit", "has no split. Give at least one of train, validation and test.");
        }

        foreach (var (name, entries) in lists.Prepend(("blend", data.Blend)))
        {
            foreach (var error in entries is null ? [] : BlendRules($"spec.data.{name}", entries, data.MountPath))
            {
                yield return error;
            }
        }
    }

    private static IEnumerable<FieldError> BlendRules(string field, IReadOnlyList<BlendEntry> entries, string? mountPath)
    {
        if (entries.Count == 0)
        {
            yield return new(field, "is empty. Name at least one prefix.");
        }

        var unweighted = entries.Count(entry => entry.Weight is null);
        if (unweighted > 0 && unweighted < entries.Count)
        {
            var first = entries.Index().First(entry => entry.Item.Weight is null);
            yield return new($"{field}[{first.Index}].weight", $"is missing while other entries have one. Set weights on all {entries.Count} entries or on none.");
        }

        for (var i = 0; i < entries.Count; i++)
        {
            if (entries[i].Weight is { } weight && !(weight > 0 && double.IsFinite(weight)))
            {
                yield return new($"{field}[{i}].weight", string.Create(CultureInfo.InvariantCulture, $"is {weight}. A weight is a number above 0; leave a dataset out instead of giving it 0."));
            }

            foreach (var error in PathRules.Prefix($"{field}[{i}].prefix", entries[i].Prefix, mountPath))
            {
                yield return error;
            }
        }
    }

    private static IEnumerable<FieldError> DatasetRules(PretrainIndexSpec spec)
    {
        var dataset = spec.Dataset;
        if (dataset.SequenceLength is not { } length || length < 1 || length > 2147483646)
        {
            yield return new("spec.dataset.sequenceLength", "must be between 1 and 2147483646: the run's sequence length.");
        }

        if (dataset.RandomSeed is < 0 or > uint.MaxValue)
        {
            yield return new("spec.dataset.randomSeed", "must be between 0 and 4294967295: numpy takes no other seed.");
        }

        if (spec.Data.Blend is not null && dataset.Split is null)
        {
            yield return new("spec.dataset.split", "is missing. With data.blend, write the run's split text exactly, for example \"900,50,50\".");
        }
        else if (spec.Data.Blend is null && spec.Data.BlendPerSplit is not null && dataset.Split is not null)
        {
            yield return new("spec.dataset.split", "does not go with data.blendPerSplit: Megatron-Core refuses the two together. Remove it.");
        }

        foreach (var (name, value) in new[] { ("train", dataset.Samples?.Train), ("validation", dataset.Samples?.Validation), ("test", dataset.Samples?.Test) })
        {
            if (value < 0)
            {
                yield return new($"spec.dataset.samples.{name}", "is negative. Leave it out for one epoch.");
            }
        }

        if (TokenizerPresets.Resolve(dataset).Error is { } tokenizerError)
        {
            yield return tokenizerError;
        }

        if (dataset.Trainer is not null && TrainerError(spec) is { } trainerError)
        {
            yield return trainerError;
        }

        if (dataset.MidLevelDatasetSurplus is not (>= 0 and <= 1))
        {
            yield return new("spec.dataset.midLevelDatasetSurplus", "must be between 0 and 1.");
        }

        if (DatasetClasses.WhyNot(dataset.DatasetClass) is { } whyNot)
        {
            yield return new("spec.dataset.datasetClass", whyNot);
        }

        foreach (var error in ReleaseOptions.Rules(dataset))
        {
            yield return error;
        }
    }

    private static FieldError? TrainerError(PretrainIndexSpec spec)
    {
        if (spec.Dataset.Samples is not null)
        {
            return new("spec.dataset.trainer", "does not go with dataset.samples: trainer computes the samples. Remove one of them.");
        }

        try
        {
            _ = TrainerSizes.Compute(spec);
            return null;
        }
        catch (TrainerRefusedException refusal)
        {
            return new(refusal.Field.Length == 0 ? "spec.dataset.trainer" : $"spec.dataset.trainer.{refusal.Field}", refusal.Message);
        }
    }

    private static IEnumerable<FieldError> CacheRules(CacheSpec cache)
    {
        if (string.IsNullOrEmpty(cache.ClaimName) == cache.ClaimTemplate is null)
        {
            yield return new("spec.cache", "must have exactly one of claimName (an existing claim) and claimTemplate (a claim that the operator creates).");
        }

        if (cache.ClaimTemplate is { Size: null })
        {
            yield return new("spec.cache.claimTemplate.size", "is missing. Write for example 100Gi.");
        }

        if (cache.ClaimTemplate?.AccessModes is { } modes && !modes.Any(mode => mode != ClaimAccessMode.ReadOnlyMany))
        {
            yield return new("spec.cache.claimTemplate.accessModes", "only allows reading. A cache is written to: use ReadWriteMany or ReadWriteOnce.");
        }

        foreach (var error in PathRules.MountPath("spec.cache.mountPath", cache.MountPath).Concat(PathRules.SubPath("spec.cache.subPath", cache.SubPath)))
        {
            yield return error;
        }
    }

    private static IEnumerable<FieldError> BuildRules(BuildSpec build)
    {
        if (build.Parallelism != 1)
        {
            yield return new("spec.build.parallelism", "above 1 is not carried out by this release. Set it to 1.");
        }

        if (build.Custom is not null)
        {
            yield return new("spec.build.custom", "is not carried out by this release. Remove it to build with the operator's own builder.");
        }

        if (build.Timeout.Value <= TimeSpan.Zero)
        {
            yield return new("spec.build.timeout", "must be above 0, for example 2h.");
        }

        if (build.PodSecurityContext?.RunAsUser == 0)
        {
            yield return new("spec.build.podSecurityContext.runAsUser", "is 0. Build pods never run as root.");
        }

        foreach (var (field, names) in new[] { ("podLabels", build.PodLabels?.Keys), ("podAnnotations", build.PodAnnotations?.Keys) })
        {
            if (names?.FirstOrDefault(IsReserved) is { } reserved)
            {
                yield return new($"spec.build.{field}", $"sets {reserved}. Names under {PretrainIndex.GroupName}/ belong to the operator; choose another.");
            }
        }

        foreach (var error in ProfileRules(build.PodAnnotations))
        {
            yield return error;
        }
    }

    // AppArmor until Kubernetes 1.30 and seccomp until 1.24 are set by annotations too, which would beat the pod's fields.
    private static IEnumerable<FieldError> ProfileRules(IDictionary<string, string>? annotations) => (annotations ?? new Dictionary<string, string>())
        .Where(pair => pair.Key.StartsWith("container.apparmor.security.beta.kubernetes.io/", StringComparison.Ordinal)
            ? pair.Value != "runtime/default" && pair.Value?.StartsWith("localhost/", StringComparison.Ordinal) != true
            : pair.Key == "seccomp.security.alpha.kubernetes.io/pod" || pair.Key.StartsWith("container.seccomp.security.alpha.kubernetes.io/", StringComparison.Ordinal))
        .Select(pair => new FieldError("spec.build.podAnnotations", $"sets {pair.Key}, which would take a protection from the build pod. Remove it; build pods always keep the restricted Pod Security Standard."));

    private static bool IsReserved(string name) =>
        name.Split('/')[0] is var domain && (domain == PretrainIndex.GroupName || domain.EndsWith("." + PretrainIndex.GroupName, StringComparison.Ordinal))
        && name.Contains('/', StringComparison.Ordinal);
}
