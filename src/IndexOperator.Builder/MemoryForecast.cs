using System.Globalization;
using System.Runtime.CompilerServices;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>What a build is expected to take of memory.</summary>
internal static class MemoryForecast
{
    // Measured: see docs/cache-format.md, "What a build costs". The second is the native program, which has no compiler in it.
    private static readonly long RuntimeBytes = RuntimeFeature.IsDynamicCodeSupported ? 60L << 20 : 32L << 20;

    /// <summary>Peak resident memory of the process in bytes.</summary>
    public static long Of(IndexPlan plan, int threads) => plan.PeakArrayBytes(threads) + RuntimeBytes;

    /// <summary>Fails a build that the kernel would kill: at once and with what it needs, and not after minutes without a word.</summary>
    /// <param name="predicted">What it is expected to take, in bytes.</param>
    /// <param name="limit">The container's limit in bytes; null for none.</param>
    /// <param name="threads">The threads that it was told to use.</param>
    /// <exception cref="IndexingException">OutOfMemory.</exception>
    public static void ThrowIfAbove(long predicted, long? limit, int threads)
    {
        if (predicted > limit)
        {
            var fewer = threads > 1 ? " or fewer --threads" : "";
            throw new IndexingException(FailureReason.OutOfMemory, string.Create(
                CultureInfo.InvariantCulture,
                $"The build takes about {Mebibytes(predicted)} MiB of memory with {threads} thread{(threads == 1 ? "" : "s")}, and its limit is {limit >> 20} MiB. Give it a limit of {Mebibytes(predicted)}Mi or more (spec.build.resources.limits.memory){fewer}."));
        }
    }

    private static long Mebibytes(long bytes) => (bytes + (1 << 20) - 1) >> 20;
}
