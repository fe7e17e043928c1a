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
    public NativeBuffer<int> BuildDocumentIndex()
    {
        var buffer = new NativeBuffer<int>(plan.DocumentIndexLength);
        var index = buffer.Span;
        var perEpoch = (int)(plan.EndSequence - plan.BeginSequence);
        for (var i = 0; i < perEpoch; i++)
        {
            index[i] = (int)plan.BeginSequence + i;
        }

        for (var copied = perEpoch; copied < index.Length; copied += perEpoch)
        {
            index[..perEpoch].CopyTo(index[copied..]);
        }

        var shuffledTogether = plan.Epochs.SeparateFinalEpoch ? index.Length - perEpoch : index.Length;
        _random.Shuffle(index[..shuffledTogether], count => advanced(BuildPhase.DocumentIndex, count));
        _random.Shuffle(index[shuffledTogether..], count => advanced(BuildPhase.DocumentIndex, count));
        return buffer;
    }

    /// <summary>
    /// Rows (position in the document index, token offset), <c>samples + 1</c> of them, handed out in blocks: the array
    /// is never whole in memory. Neighbouring samples share the extra token (<c>helpers.cpp</c>, <c>build_sample_idx</c>).
    /// </summary>
    /// <exception cref="IndexingException">InvalidSpec: an offset would be negative, which Megatron refuses.</exception>
    public void WalkSamples(ReadOnlySpan<int> documentIndex, Action<ReadOnlySpan<int>> write)
    {
        var rows = new int[2 * RowsPerBlock];
        var filled = 2; // Row 0 is (0, 0).
        var lengths = plan.Data.SequenceLengths;
        var position = 0;
        var offset = 0L;
        for (var sample = 0L; sample < plan.SampleCount; sample++)
        {
            if (filled == rows.Length)
            {
                write(rows);
                advanced(BuildPhase.SampleIndex, RowsPerBlock);
                filled = 0;
            }

            Advance(documentIndex, lengths, ref position, ref offset);
            rows[filled++] = position;
            rows[filled++] = (int)offset;
        }

        write(rows.AsSpan(0, filled));
        advanced(BuildPhase.SampleIndex, filled / 2);
    }

    /// <summary>Sample numbers; those of a separate final epoch stay behind the others.</summary>
    public NativeBuffer<uint> BuildShuffleIndex()
    {
        var buffer = new NativeBuffer<uint>(plan.SampleCount);
        var index = buffer.Span;
        for (var i = 0; i < index.Length; i++)
        {
            index[i] = (uint)i;
        }

        var shuffledTogether = plan.Epochs.SeparateFinalEpoch ? (int)plan.Epochs.SamplesSansFinalEpoch : index.Length;
        _random.Shuffle(index[..shuffledTogether], count => advanced(BuildPhase.ShuffleIndex, count));
        _random.Shuffle(index[shuffledTogether..], count => advanced(BuildPhase.ShuffleIndex, count));
        return buffer;
    }

    private void Advance(ReadOnlySpan<int> documentIndex, int[] lengths, ref int position, ref long offset)
    {
        var remaining = plan.SequenceLength + plan.ExtraTokens;
        while (true)
        {
            Prefetch(documentIndex, lengths, position + PrefetchDistance);
            long length = lengths[documentIndex[position]];
            var rest = length - offset;
            if (rest >= remaining)
            {
                offset += remaining - plan.ExtraTokens;
                return;
            }

            remaining -= rest;
            if (position == documentIndex.Length - 1)
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

    /// <summary>Lengths are looked up in shuffled order: fetching ahead hides most of the memory's latency.</summary>
    private static unsafe void Prefetch(ReadOnlySpan<int> documentIndex, int[] lengths, int position)
    {
        if (Sse.IsSupported && position < documentIndex.Length)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(lengths), documentIndex[position])));
        }
    }

    private void ThrowIfNegative(long offset)
    {
        if (offset < 0)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{plan.Split.Name()} of {plan.Data.Prefix} ends, in shuffled order, with an empty document, and Megatron cannot keep a partial sample there. " +
                "Set dropLastPartialValidationSequence, choose another randomSeed, or remove empty documents.");
        }
    }
}
