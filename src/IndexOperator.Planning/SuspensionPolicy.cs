using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary><c>spec.suspend</c>: builds stop at once, what is published stays.</summary>
public static class SuspensionPolicy
{
    /// <summary>Suspended, or published where the wanted version is current anyway; null when the resource is not suspended.</summary>
    public static Situation? Decide(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        if (!observed.Index.Spec.Suspend)
        {
            return null;
        }

        var stop = BuildPolicy.StopAll(observed, "spec.suspend is true");
        return PublishPolicy.Decide(observed, wanted) is { } published
            ? published with { Actions = stop }
            : new Situation(Standing.Suspended, Reasons.Suspended, "spec.suspend is true: nothing is built. Set it to false to continue.") { Actions = stop, Build = Leftover.Halted(observed) };
    }
}
