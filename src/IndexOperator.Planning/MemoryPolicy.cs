using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>A build that was killed for its memory is tried once more with what it needs, within what the administrator allows.</summary>
public static class MemoryPolicy
{
    // What is predicted is the arrays; a runtime, buffers and the kernel's share of written pages come on top.
    private const double Margin = 1.25;

    /// <summary>What follows for the next attempt.</summary>
    /// <param name="NextBytes">The memory to give it; null when it gets what the spec says.</param>
    /// <param name="Advice">A sentence for the person who must act; null when more memory may help.</param>
    public sealed record Decision(long? NextBytes, string? Advice);

    /// <summary>What follows an attempt that was killed for its memory; null when it was not, or did not say what it needs.</summary>
    public static Decision? After(ObservedState observed, BuildAttempt attempt, FailureStatus failure)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(attempt);
        ArgumentNullException.ThrowIfNull(failure);
        if (failure.Reason != Reasons.OutOfMemory || attempt.PredictedMemoryBytes is not { } predicted)
        {
            return null;
        }

        var needed = (long)Math.Min(predicted * Margin, long.MaxValue / 2);
        var most = Bytes(observed.Settings.MaximumBuildMemory);
        var resources = observed.Index.Spec.Build.Resources;
        var has = Memory(resources?.Limits) ?? Memory(resources?.Requests);
        return attempt.RaisedMemoryBytes is not null ? new Decision(null, "It had been given more than it was predicted to need. Raise spec.build.resources.limits.memory further, or split the blend.")
            : needed > most ? new Decision(null, $"It needs about {ProgressText.Size(needed)}, and this operator gives at most {observed.Settings.MaximumBuildMemory} (--build-memory-max). Raise spec.build.resources.limits.memory yourself.")
            : needed <= has ? null
            : new Decision(needed, null);
    }

    /// <summary>The memory that an attempt was given and that the ones after it are given too, whatever it failed of; null when the spec decides.</summary>
    public static long? KeptAfter(ObservedState observed, BuildAttempt attempt)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(attempt);
        return attempt.RaisedMemoryBytes is { } bytes && !(bytes > Bytes(observed.Settings.MaximumBuildMemory)) ? bytes : null;
    }

    /// <summary>A quantity in bytes; null for what is none.</summary>
    internal static long? Bytes(string quantity)
    {
        try
        {
            return (long)Math.Min(new ResourceQuantity(quantity).ToDecimal(), long.MaxValue / 2);
        }
        catch (Exception fault) when (fault is FormatException or OverflowException or ArgumentException)
        {
            // The API server checked the spec's; the setting is checked when the operator starts.
            return null;
        }
    }

    private static long? Memory(IDictionary<string, ResourceQuantity>? resources) => resources?.TryGetValue("memory", out var given) == true ? Bytes(given.ToString()) : null;
}
