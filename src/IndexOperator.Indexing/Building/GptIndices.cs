using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace IndexOperator.Indexing;

/// <summary>
/// The three arrays of a <c>GPTDataset</c> (<c>gpt_dataset.py</c>). One <see cref="RandomState"/> serves document index
/// and then shuffle index, so they are built in that order.
/// </summary>
internal sealed class GptIndices(GptDatasetPlan plan, Action<BuildPhase, long> advanced)
{
    private const int RowsPerBlock = 1 << 15;
    private const int PrefetchDistance = 16;

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

        Shuffle(index, plan.Epochs.SeparateFinalEpoch ? index.Length - perEpoch : index.Length, BuildPhase.DocumentIndex);
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
        var rows = new TNumber[2 * RowsPerBlock];
        var filled = 2; // Row 0 is (0, 0).
        var lengths = plan.Data.SequenceLengths;
        var position = 0L;
        var offset = 0L;
        var told = 0L;
        for (var sample = 0L; sample < plan.SampleCount; sample++)
        {
            if (filled == rows.Length)
            {
                write(rows);
                advanced(BuildPhase.SampleIndex, position - told);
                told = position;
                filled = 0;
            }

            Advance(documentIndex, lengths, ref position, ref offset);
            rows[filled++] = TNumber.CreateTruncating(position);
            rows[filled++] = TNumber.CreateTruncating(offset);
        }

        write(rows.AsSpan(0, filled));
        advanced(BuildPhase.SampleIndex, documentIndex.Length - told);
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

        Shuffle(index, plan.Epochs.SeparateFinalEpoch ? plan.Epochs.SamplesSansFinalEpoch : index.Length, BuildPhase.ShuffleIndex);
        return index;
    }

    private string Name => $"{plan.Split.Name()} of {plan.Data.Prefix}";

    private unsafe void Shuffle<T>(NativeBuffer<T> index, long shuffledTogether, BuildPhase phase)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shuffledTogether, index.Length);
        _random.Shuffle(index.Items, shuffledTogether, count => advanced(phase, count));
        _random.Shuffle(index.Items + shuffledTogether, index.Length - shuffledTogether, count => advanced(phase, count));
    }

    /// <summary>
    /// Walks one sample on. The document index is not empty here: where there is a sample, there are tokens.
    /// </summary>
    private unsafe void Advance(NativeBuffer<int> documentIndex, int[] lengths, ref long position, ref long offset)
    {
        var documents = documentIndex.Items;
        var last = documentIndex.Length - 1;
        var remaining = plan.SequenceLength + plan.ExtraTokens;
        while (true)
        {
            if (Sse.IsSupported && position + PrefetchDistance <= last)
            {
                // Lengths are looked up in shuffled order: fetching ahead hides most of the memory's latency.
                Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(lengths), documents[position + PrefetchDistance])));
            }

            long length = lengths[documents[position]];
            var rest = length - offset;
            if (rest >= remaining)
            {
                offset += remaining - plan.ExtraTokens;
                return;
            }

            remaining -= rest;
            if (position == last)
            {
                offset = length - plan.ExtraTokens;
                if (plan.Rules.RefusesNegativeOffset)
                {
                    ThrowIfNegative(offset);
                }

                return;
            }

            position++;
            offset = 0;
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
