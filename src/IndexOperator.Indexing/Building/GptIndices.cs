using System.Numerics;

namespace IndexOperator.Indexing;

/// <summary>
/// The three arrays of a <c>GPTDataset</c> (<c>gpt_dataset.py</c>). One <see cref="RandomState"/> serves document index
/// and then shuffle index, so they are built in that order.
/// </summary>
/// <param name="plan">The dataset.</param>
/// <param name="advanced">Told of each phase's units, see <see cref="BuildUnits"/>: sequences shuffled, sequences walked over, samples shuffled.</param>
/// <param name="pool">Takes parts of the work where threads are free; null to do all on this one.</param>
internal sealed class GptIndices(GptDatasetPlan plan, Action<BuildPhase, long> advanced, WorkPool? pool = null)
{
    private const int Window = 1 << 18;

    private readonly RandomState _random = new(plan.RandomSeed);

    /// <summary>
    /// Sequence ids, each once an epoch. The final epoch is shuffled for itself when it is separate, and with all others
    /// when not.
    /// </summary>
    /// <exception cref="IndexingException">OutOfMemory.</exception>
    public NativeBuffer<int> BuildDocumentIndex()
    {
        var index = new NativeBuffer<int>(plan.DocumentIndexLength, $"The document index of {Name}");
        var perEpoch = (int)(plan.EndSequence - plan.BeginSequence);
        var epoch = index.Slice(0, perEpoch);
        for (var i = 0; i < epoch.Length; i++)
        {
            epoch[i] = (int)plan.BeginSequence + i;
        }

        for (long copied = perEpoch; copied < index.Length; copied += perEpoch)
        {
            epoch.CopyTo(index.Slice(copied, perEpoch));
        }

        Shuffle(index, plan.Epochs.SeparateFinalEpoch ? index.Length - perEpoch : index.Length, BuildPhase.DocumentIndex, BuildUnits.ShuffledDocument);
        return index;
    }

    /// <summary>
    /// Rows (position in the document index, token offset), <c>samples + 1</c> of them, handed out in blocks: the array
    /// is never whole in memory. Neighbouring samples share the extra token (<c>helpers.cpp</c>, <c>build_sample_idx</c>).
    /// </summary>
    /// <typeparam name="TNumber">The width of the numbers, see <see cref="GptDatasetPlan.SampleIndexItemSize"/>.</typeparam>
    /// <exception cref="IndexingException">InvalidSpec: an offset would be negative, which Megatron refuses.</exception>
    public void WalkSamples<TNumber>(NativeBuffer<int> documentIndex, Action<ReadOnlySpan<TNumber>> write)
        where TNumber : unmanaged, INumberBase<TNumber>
    {
        var walk = new SampleWalk<TNumber>(plan.SampleCount + 1, plan.SequenceLength, plan.ExtraTokens, write);
        var length = (int)Math.Min(Window, (documentIndex.Length + 1) / 2);
        var (here, ahead) = (new int[length], new int[length]);
        for (var first = 0L; first < documentIndex.Length && !walk.IsFull; first += here.Length + ahead.Length)
        {
            var second = Math.Min(documentIndex.Length, first + here.Length);
            var (firstCount, secondCount) = ((int)(second - first), (int)Math.Min(ahead.Length, documentIndex.Length - second));
            var start = first;
            WorkPool.Both(
                pool,
                () =>
                {
                    Gather(documentIndex, start, here.AsSpan(0, firstCount));
                    walk.Over(here.AsSpan(0, firstCount));
                },
                () => Gather(documentIndex, second, ahead.AsSpan(0, secondCount)));
            walk.Over(ahead.AsSpan(0, secondCount));
            advanced(BuildPhase.SampleIndex, BuildUnits.WalkedDocument * (firstCount + secondCount));
        }

        if (!walk.IsFull && plan.Rules.RefusesNegativeOffset)
        {
            ThrowIfNegative(walk.LastOffset);
        }

        walk.Finish();
    }

    /// <summary>Sample numbers; those of a separate final epoch stay behind the others.</summary>
    /// <typeparam name="TNumber">The width of the numbers, see <see cref="GptDatasetPlan.ShuffleIndexItemSize"/>.</typeparam>
    /// <exception cref="IndexingException">OutOfMemory.</exception>
    public unsafe NativeBuffer<TNumber> BuildShuffleIndex<TNumber>()
        where TNumber : unmanaged, INumberBase<TNumber>
    {
        var index = new NativeBuffer<TNumber>(plan.SampleCount, $"The shuffle index of {Name}");
        var items = index.Items;
        for (var i = 0L; i < index.Length; i++)
        {
            items[i] = TNumber.CreateTruncating(i);
        }

        Shuffle(index, plan.Epochs.SeparateFinalEpoch ? plan.Epochs.SamplesSansFinalEpoch : index.Length, BuildPhase.ShuffleIndex, BuildUnits.ShuffledSample);
        return index;
    }

    private string Name => $"{plan.Split.Name()} of {plan.Data.Prefix}";

    private unsafe void Shuffle<T>(NativeBuffer<T> index, long shuffledTogether, BuildPhase phase, int unitsEach)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shuffledTogether, index.Length);
        _random.Shuffle(index.Items, shuffledTogether, count => advanced(phase, count * unitsEach), pool);
        _random.Shuffle(index.Items + shuffledTogether, index.Length - shuffledTogether, count => advanced(phase, count * unitsEach), pool);
    }

    /// <summary>
    /// The lengths of some documents. Apart from the walk, whose mispredicted branches would throw away the loads that run ahead: these
    /// are in shuffled order, so each is a miss of the caches, and another thread can take a part of them.
    /// </summary>
    private unsafe void Gather(NativeBuffer<int> documentIndex, long first, Span<int> lengths)
    {
        var documents = documentIndex.Items + first;
        fixed (int* length = plan.Data.SequenceLengths)
        {
            for (var i = 0; i < lengths.Length; i++)
            {
                lengths[i] = length[documents[i]];
            }
        }
    }

    private void ThrowIfNegative(long offset)
    {
        if (offset < 0)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{Name} ends, in shuffled order, with an empty document, and Megatron cannot keep a partial sample there. " +
                "Set dropLastPartialValidationSequence, choose another randomSeed, or remove empty documents.");
        }
    }
}
