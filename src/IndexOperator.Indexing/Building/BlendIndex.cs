using System.Numerics;
using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>
/// Which member each sample of a blend comes from: always the one furthest behind its share
/// (<c>helpers.cpp</c>, <c>build_blending_indices</c> and <c>build_exhaustive_blending_indices</c>).
/// </summary>
/// <remarks>
/// Errors are <c>weight * max(sample, 1) - count</c>, product and difference rounded one after the other as x86-64 builds
/// of Megatron do; .NET never fuses them. The lowest member wins a tie.
/// </remarks>
internal sealed class BlendIndex : IDisposable
{
    private const int CheckEvery = 1 << 14;

    private BlendIndex(BlendedDatasetPlan plan, NativeBuffer<short> members)
    {
        Plan = plan;
        Members = members;
    }

    /// <summary>The blend.</summary>
    public BlendedDatasetPlan Plan { get; }

    /// <summary>
    /// The member of each sample. The sample number inside the member is how often it occurred before, so it need not be
    /// kept: two bytes a sample instead of ten.
    /// </summary>
    public NativeBuffer<short> Members { get; }

    /// <summary>Computes the order and checks that no member is asked for more samples than it has.</summary>
    /// <exception cref="IndexingException">OversampledBlend or OutOfMemory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static BlendIndex Compute(BlendedDatasetPlan plan, Action<long>? advanced = null, CancellationToken cancellationToken = default)
    {
        var built = plan.Members.Select(member => member.SampleCount).ToArray();
        var weights = plan.IsExhaustive ? [.. built.Select(length => length / (double)plan.Size)] : plan.Weights.ToArray();
        var members = new NativeBuffer<short>(plan.Size, $"The {plan.Split.Name()} blend of {plan.Members[0].Data.Prefix} and others");
        try
        {
            Choose(plan, weights, built, members, advanced, cancellationToken);
            return new BlendIndex(plan, members);
        }
        catch
        {
            members.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Members.Dispose();

    private static unsafe void Choose(
        BlendedDatasetPlan plan,
        double[] weights,
        long[] built,
        NativeBuffer<short> members,
        Action<long>? advanced,
        CancellationToken cancellationToken)
    {
        var errors = new MemberErrors(weights);
        var counts = new long[weights.Length];
        var items = members.Items;
        for (var sample = 0L; sample < members.Length; sample++)
        {
            var member = errors.Largest(Math.Max((double)sample, 1.0));
            items[sample] = (short)member;
            counts[member]++;
            errors.Count(member, isUsedUp: plan.IsExhaustive && counts[member] == built[member]);
            if (sample % CheckEvery == CheckEvery - 1)
            {
                cancellationToken.ThrowIfCancellationRequested();
                advanced?.Invoke(CheckEvery);
            }
        }

        advanced?.Invoke(members.Length % CheckEvery);
        ThrowIfOversampled(plan, counts, built);
    }

    private static void ThrowIfOversampled(BlendedDatasetPlan plan, long[] counts, long[] built)
    {
        var rules = plan.Members[0].Rules;
        var next = rules.HasSurplusOption
            ? "Raise midLevelDatasetSurplus (and the training run's mid_level_dataset_surplus with it), or remove members of tiny weight."
            : "Remove members of tiny weight, or train with 0.13 or later, where midLevelDatasetSurplus can be raised.";
        for (var member = 0; member < counts.Length; member++)
        {
            if (counts[member] > built[member])
            {
                throw new IndexingException(
                    FailureReason.OversampledBlend,
                    $"The {plan.Split.Name()} blend draws {counts[member]} samples of {plan.Members[member].Data.Prefix}, but {built[member]} are built for it. {next}");
            }
        }

        if (!rules.MiscountsUndrawnMembers)
        {
            return;
        }

        var drawn = Enumerable.Range(0, counts.Length).Where(member => counts[member] > 0).ToList();
        foreach (var (position, member) in drawn.Index())
        {
            if (counts[member] > built[position])
            {
                var undrawn = plan.Members[Array.IndexOf(counts, 0L)].Data.Prefix;
                throw new IndexingException(
                    FailureReason.OversampledBlend,
                    $"The {plan.Split.Name()} blend never draws {undrawn}, and Megatron-Core 0.7 then holds the {counts[member]} samples drawn of {plan.Members[member].Data.Prefix} " +
                    $"against the {built[position]} built for {plan.Members[position].Data.Prefix}: every start of the run fails. Remove members that are never drawn, or train with 0.8 or later.");
            }
        }
    }

    /// <summary>How far each member is behind its share.</summary>
    private sealed class MemberErrors
    {
        private readonly double[] _weights;
        private readonly double[] _counts;
        private readonly int _members;

        public MemberErrors(double[] weights)
        {
            // Filled up to whole vectors with members that are infinitely far ahead and so never chosen.
            var padded = (weights.Length + Vector<double>.Count - 1) / Vector<double>.Count * Vector<double>.Count;
            _members = weights.Length;
            _weights = new double[padded];
            _counts = new double[padded];
            weights.CopyTo(_weights, 0);
            _counts.AsSpan(_members).Fill(double.PositiveInfinity);
        }

        public void Count(int member, bool isUsedUp) => _counts[member] = isUsedUp ? double.PositiveInfinity : _counts[member] + 1;

        public int Largest(double sample) => _members < 2 * Vector<double>.Count ? LargestOfFew(sample) : LargestOfMany(sample);

        private int LargestOfFew(double sample)
        {
            var best = 0;
            var largest = (_weights[0] * sample) - _counts[0];
            for (var member = 1; member < _members; member++)
            {
                var error = (_weights[member] * sample) - _counts[member];
                if (error > largest)
                {
                    (best, largest) = (member, error);
                }
            }

            return best;
        }

        private int LargestOfMany(double sample)
        {
            var weights = MemoryMarshal.Cast<double, Vector<double>>(_weights);
            var counts = MemoryMarshal.Cast<double, Vector<double>>(_counts);
            var factor = new Vector<double>(sample);
            var largest = (weights[0] * factor) - counts[0];
            var blocks = Vector<long>.Zero;
            for (var block = 1; block < weights.Length; block++)
            {
                var error = (weights[block] * factor) - counts[block];
                var isLarger = Vector.GreaterThan(error, largest);
                largest = Vector.ConditionalSelect(isLarger, error, largest);
                blocks = Vector.ConditionalSelect(isLarger, new Vector<long>(block), blocks);
            }

            var best = (int)(blocks[0] * Vector<double>.Count);
            for (var lane = 1; lane < Vector<double>.Count; lane++)
            {
                var member = (int)(blocks[lane] * Vector<double>.Count) + lane;
                var current = largest[best % Vector<double>.Count];
                if (largest[lane] > current || (largest[lane] == current && member < best))
                {
                    best = member;
                }
            }

            return best;
        }
    }
}
