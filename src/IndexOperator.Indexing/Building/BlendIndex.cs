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

    private static void Choose(
        BlendedDatasetPlan plan,
        double[] weights,
        long[] built,
        NativeBuffer<short> members,
        Action<long>? advanced,
        CancellationToken cancellationToken)
    {
        var limits = plan.IsExhaustive ? built : null;
        IBlendOrder order = weights.Length >= CandidateBlend.FewestMembers && CandidateBlend.IsFor(weights, plan.Size)
            ? new CandidateBlend(weights, limits)
            : new DirectBlend(weights, limits);
        for (var first = 0L; first < members.Length; first += CheckEvery)
        {
            var next = members.Slice(first, (int)Math.Min(CheckEvery, members.Length - first));
            order.Fill(next);
            cancellationToken.ThrowIfCancellationRequested();
            advanced?.Invoke(next.Length);
        }

        ThrowIfOversampled(plan, order.Counts(), built);
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
}
