using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>How much work the parts of a build are, one beside the other: what makes one percentage of their units.</summary>
/// <param name="Read">Reading, checking and hashing the <c>.idx</c> files.</param>
/// <param name="Blend">Choosing members.</param>
/// <param name="Arrays">Shuffling, walking and writing.</param>
internal sealed record WorkForecast(double Read, double Blend, double Arrays)
{
    // Nanoseconds on one thread as `make bench-builder` had them (docs/performance.md). Only their ratios matter, and those hardly change from
    // machine to machine: hashing keeps pace with the processor's clock, as does all else but the misses of its caches.
    private const double PerByteRead = 1.05;
    private const double PerUnit = 6;
    private const double PerChoice = 30;
    private const double PerMemberAndChoice = 0.1;

    /// <summary>For builds of which nothing is known beforehand.</summary>
    public static WorkForecast Unknown { get; } = new(0.3, 0.1, 0.6);

    /// <summary>The work of a plan.</summary>
    public static WorkForecast Of(IndexPlan plan) => new(
        PerByteRead * plan.Data.Sum(data => data.Idx.Bytes),
        plan.Blends.Sum(blend => blend.Size * (PerChoice + (PerMemberAndChoice * blend.Members.Count))),
        PerUnit * BuildUnits.In(plan));
}
