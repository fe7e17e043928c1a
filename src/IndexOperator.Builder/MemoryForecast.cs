using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>What a build is expected to take of memory.</summary>
internal static class MemoryForecast
{
    // Measured: see docs/cache-format.md, "What a build costs".
    private const long RuntimeBytes = 60L << 20;

    /// <summary>Peak resident memory of the process in bytes.</summary>
    public static long Of(IndexPlan plan, int threads) => plan.PeakArrayBytes(threads) + RuntimeBytes;
}
