using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// What is asked for, as four hashes, each over the one before and more. Equal <see cref="ContentKey"/>: one build serves both. Equal
/// <see cref="SpecKey"/>: the specs ask for the same. Equal <see cref="BuildKey"/>: one and the same published version satisfies both.
/// Equal <see cref="JobKey"/>: one and the same Job carries both out. The version itself cannot be known before the data is read.
/// </summary>
public sealed record WantedBuild
{
    /// <summary>Hash over data, dataset and cache location; 16 hex digits.</summary>
    public required string ContentKey { get; init; }

    /// <summary>Hash over data, dataset, cache location, data version and rebuild token; 16 hex digits.</summary>
    public required string SpecKey { get; init; }

    /// <summary><see cref="SpecKey"/>, or a hash over it and a change of data or version that asks for a build of its own; 16 hex digits.</summary>
    public required string BuildKey { get; init; }

    /// <summary>Hash over <see cref="BuildKey"/> and <c>spec.build</c>; 16 hex digits.</summary>
    public required string JobKey { get; init; }

    /// <summary>The value of the rebuild annotation, or the one carried out last; null when there was never one.</summary>
    public string? RebuildToken { get; init; }

    /// <summary>What this resource asks for now.</summary>
    public static WantedBuild Of(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        // Taking the annotation away asks for nothing: the token that was carried out last still stands.
        var token = index.Metadata.Annotations?.TryGetValue(Annotations.Rebuild, out var value) == true && !string.IsNullOrEmpty(value) ? value : index.Status?.RebuildToken;
        var json = PlanningJsonContext.Default;
        var (data, dataset) = (JsonSerializer.Serialize(index.Spec.Data, json.DataSpec), JsonSerializer.Serialize(index.Spec.Dataset, json.DatasetSpec));
        var specKey = Hash(
            data,
            dataset,
            index.Spec.Cache.ClaimName,
            index.Spec.Cache.ClaimTemplate is null ? null : "template",
            index.Spec.Cache.SubPath,
            index.Spec.DataVersion,
            token);
        var buildKey = ChangeToBuildFor(index, specKey) is { } change ? Hash(specKey, change.Token)
            : index.Status?.Current is { } current && SpecKeyOf(current) == specKey ? current.BuildKey! : specKey;
        return new WantedBuild
        {
            ContentKey = Hash(data, dataset, CacheOf(index)),
            SpecKey = specKey,
            BuildKey = buildKey,
            JobKey = Hash(buildKey, JsonSerializer.Serialize(index.Spec.Build, json.BuildSpec)),
            RebuildToken = token,
        };
    }

    /// <summary>The part of the spec that asked for a version; null where that is not known.</summary>
    public static string? SpecKeyOf(VersionStatus version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return version.SpecKey ?? version.BuildKey;
    }

    /// <summary>Where versions are published: the claim and the folder on it. Resources of a namespace with the same one share versions.</summary>
    public static string CacheOf(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return $"{ClaimPolicy.CacheClaimName(index)}/{index.Spec.Cache.SubPath}";
    }

    /// <summary>
    /// The name of an attempt's Job: the resource's name, shortened where needed, and 8 hex digits over everything that tells attempts
    /// apart. At most 63 characters, as the label that Kubernetes makes of it.
    /// </summary>
    public string JobName(PretrainIndex index, int attempt) => NameOf(index, "build", index.Metadata.Uid, JobKey, attempt.ToString(System.Globalization.CultureInfo.InvariantCulture));

    // A change that asks for a build: of the data only where the spec wants that, of the published files always.
    private static ChangeStatus? ChangeToBuildFor(PretrainIndex index, string specKey) =>
        index.Status?.Change is { } change && change.SpecKey == specKey
        && (change.Reason == Reasons.VersionCorrupt || (change.Reason == Reasons.DataChanged && index.Spec.Refresh.OnChange == ChangePolicy.Rebuild))
            ? change
            : null;

    internal static string NameOf(PretrainIndex index, string task, params string?[] parts) => Shorten(index.Name(), $"-{task}", [task, .. parts]);

    /// <summary>With what the names of all objects for a task begin.</summary>
    internal static string NamePrefix(PretrainIndex index, string task) => NameOf(index, task)[..^8];

    internal static string Shorten(string name, string task, params string?[] parts)
    {
        var suffix = $"{task}-{Hash(parts)[..8]}";
        var room = 63 - suffix.Length;
        return (name.Length <= room ? name : name[..room].TrimEnd('-', '.')).Replace('.', '-') + suffix;
    }

    internal static string Hash(params string?[] parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            // Length before text, so that no two lists of parts read the same.
            text.Append(part?.Length ?? -1).Append(':').Append(part).Append('\n');
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }
}
