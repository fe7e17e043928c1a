using System.Globalization;

namespace IndexOperator.Api;

/// <summary>Options that only some Megatron-Core releases have. Refused by name elsewhere: a run there cannot have set them.</summary>
internal static class ReleaseOptions
{
    private const double FixedSurplus = 0.005;

    public static IEnumerable<FieldError> Rules(DatasetSpec dataset)
    {
        var (release, minor) = (dataset.MegatronCore, Minor(dataset.MegatronCore));
        if (dataset.RenormalizeBlendWeights && minor is not (9 or 10))
        {
            yield return new("spec.dataset.renormalizeBlendWeights", $"does not exist in megatronCore {release}: only 0.9 and 0.10 have it. Remove it.");
        }

        if (dataset.MidLevelDatasetSurplus != FixedSurplus && minor < 13)
        {
            yield return new("spec.dataset.midLevelDatasetSurplus", $"cannot be chosen with megatronCore {release}: it is fixed at 0.005 before 0.13. Remove it.");
        }

        if (dataset.MultipleValidationSets && minor < 14)
        {
            yield return new("spec.dataset.multipleValidationSets", $"does not exist in megatronCore {release}: it came with 0.14. Remove it.");
        }

        if (dataset.FullValidation && minor < 14)
        {
            yield return new("spec.dataset.fullValidation", $"does not exist in megatronCore {release}: it came with 0.14. Remove it.");
        }
    }

    /// <summary>The number behind the dot; the development branch is later than all. The schema admits known releases only.</summary>
    private static int Minor(string release) =>
        release.StartsWith("0.", StringComparison.Ordinal) && int.TryParse(release.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? minor
            : int.MaxValue;
}
