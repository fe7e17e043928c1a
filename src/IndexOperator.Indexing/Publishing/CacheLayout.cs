using System.Text.RegularExpressions;

namespace IndexOperator.Indexing;

/// <summary>Names inside a cache root.</summary>
public static partial class CacheLayout
{
    /// <summary>Directory of published versions; each is complete and never changes.</summary>
    public const string Versions = "versions";

    /// <summary>Directory of work in progress.</summary>
    public const string Staging = ".staging";

    /// <summary>Directory of versions that were found corrupt, kept for a person to look at and remove.</summary>
    public const string Quarantine = ".quarantine";

    /// <summary>The manifest inside a version.</summary>
    public const string Manifest = "index-manifest.json";

    /// <summary>Megatron's <c>--per-dataset-sequences-path</c> file inside a version.</summary>
    public const string PerDatasetSequences = "per-dataset-sequences.json";

    /// <summary>Where a version is published.</summary>
    public static string VersionPath(string cacheRoot, string version) => Path.Combine(cacheRoot, Versions, version);

    /// <summary>Where a corrupt version goes that a build finds in its way.</summary>
    public static string QuarantinePath(string cacheRoot, string version, string buildId) => Path.Combine(cacheRoot, Quarantine, $"{version}.{buildId}");

    /// <summary>Where a build works.</summary>
    /// <exception cref="IndexingException">InvalidSpec: the build id could name something else.</exception>
    public static string StagingPath(string cacheRoot, string buildId) =>
        BuildId().IsMatch(buildId)
            ? Path.Combine(cacheRoot, Staging, buildId)
            : throw new IndexingException(
                FailureReason.InvalidSpec,
                $"The build id \"{buildId}\" cannot name a directory. Use 1 to 128 letters, digits, '-', '_' and '.', beginning with a letter or digit.");

    /// <summary>Whether a name is one that versions have: 20 lower-case hex digits.</summary>
    public static bool IsVersionName(string name) => VersionName().IsMatch(name);

    [GeneratedRegex(@"^[0-9a-f]{20}\z", RegexOptions.CultureInvariant)]
    private static partial Regex VersionName();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex BuildId();
}
