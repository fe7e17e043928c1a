using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Whether the spec can be carried out at all. A build of an earlier spec is stopped: nobody wants its result any more.</summary>
public static class SpecPolicy
{
    /// <summary>Stuck with every broken rule; null when the spec is sound.</summary>
    public static Situation? Decide(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var errors = observed.Index.Unreadable is { } unreadable
            ? [new FieldError("The resource cannot be read", $"{unreadable} Correct that field.")]
            : PretrainIndexValidation.Validate(observed.Index.Spec).Concat(Moved(observed.Index)).ToList();
        return errors.Count == 0
            ? null
            : new Situation(Standing.Stuck, Reasons.InvalidSpec, string.Join(" ", errors))
            {
                Actions = BuildPolicy.StopAll(observed, "the spec cannot be carried out"),
                Build = Leftover.Halted(observed),
            };
    }

    // The API server enforces this with CEL from 1.25; before, a moved cache would make every published version unreachable.
    private static IEnumerable<FieldError> Moved(PretrainIndex index)
    {
        if (index.Status is { Current: not null, ClaimName: { } claim } && claim != ClaimPolicy.CacheClaimName(index))
        {
            yield return new FieldError("spec.cache", $"cannot move: versions are published on claim \"{claim}\". Change it back, or create another PretrainIndex for the new location.");
        }
    }
}
