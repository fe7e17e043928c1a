using System.Numerics;
using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>
/// What the entries of an array must be, whatever the seed. Chunks are looked at in any order and by several threads, while they are in
/// the processor's cache for their checksum.
/// </summary>
internal abstract class EntryCheck
{
    /// <summary>Bytes behind a chunk that belong to entries which begin in it: two rows of two numbers of eight bytes.</summary>
    public const int Overlap = 32;

    /// <summary>Looks at the entries that begin in a chunk.</summary>
    /// <param name="bytes">The chunk, and up to <see cref="Overlap"/> bytes of what follows it.</param>
    /// <param name="offset">Where it begins in the file.</param>
    /// <param name="length">Its bytes.</param>
    /// <returns>The first fault, naming the entry; null when there is none.</returns>
    public abstract string? Check(ReadOnlySpan<byte> bytes, long offset, int length);

    /// <summary>What is wrong with all of them together; null when nothing is.</summary>
    public virtual string? Finish() => null;

    /// <summary>The first entry that begins in a chunk, how many do, and where the first one is in it.</summary>
    protected static (long First, int Count, int At) Entries(long offset, int length, int entryBytes)
    {
        var first = Math.Max(0, (offset - NpyHeader.Size + entryBytes - 1) / entryBytes);
        var end = Math.Max(first, (offset + length - NpyHeader.Size + entryBytes - 1) / entryBytes);
        return (first, (int)(end - first), (int)(NpyHeader.Size + (first * entryBytes) - offset));
    }
}

/// <summary>Entries of one dimension lie between two numbers.</summary>
/// <param name="end">The least number that is too large; 0 is the least that is allowed.</param>
/// <param name="meaning">What they number, for the message.</param>
/// <param name="isInEpochs">Whether the entries are whole epochs of a range, as those of a document index.</param>
internal sealed class RangeCheck<T>(long end, string meaning, bool isInEpochs = false) : EntryCheck
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    private readonly Lock _lock = new();
    private long _entries;
    private long _lowest = long.MaxValue;
    private long _highest = -1;

    /// <inheritdoc/>
    public override string? Check(ReadOnlySpan<byte> bytes, long offset, int length)
    {
        var (first, count, at) = Entries(offset, length, Marshal.SizeOf<T>());
        if (count == 0)
        {
            return null;
        }

        var entries = MemoryMarshal.Cast<byte, T>(bytes[at..])[..count];
        var (smallest, largest) = Extremes(entries);
        var (lowest, highest) = (long.CreateTruncating(smallest), long.CreateTruncating(largest));
        if (lowest < 0 || highest >= end)
        {
            var wrong = 0;
            while (long.CreateTruncating(entries[wrong]) is var entry && entry >= 0 && entry < end)
            {
                wrong++;
            }

            return $"entry {first + wrong} is {entries[wrong]}, but {meaning} are numbered from 0 to {end - 1}";
        }

        if (isInEpochs)
        {
            lock (_lock)
            {
                (_entries, _lowest, _highest) = (_entries + count, Math.Min(_lowest, lowest), Math.Max(_highest, highest));
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public override string? Finish() => _entries > 0 && _entries % (_highest - _lowest + 1) != 0
        ? $"its {_entries} entries are not whole epochs of the sequences from {_lowest} to {_highest}"
        : null;

    private static (T Smallest, T Largest) Extremes(ReadOnlySpan<T> entries)
    {
        var (smallest, largest) = (new Vector<T>(T.MaxValue), new Vector<T>(T.MinValue));
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(entries);
        foreach (ref readonly var vector in vectors)
        {
            smallest = Vector.Min(smallest, vector);
            largest = Vector.Max(largest, vector);
        }

        var (min, max) = (T.MaxValue, T.MinValue);
        for (var lane = 0; lane < Vector<T>.Count; lane++)
        {
            (min, max) = (T.Min(min, smallest[lane]), T.Max(max, largest[lane]));
        }

        foreach (var entry in entries[(vectors.Length * Vector<T>.Count)..])
        {
            (min, max) = (T.Min(min, entry), T.Max(max, entry));
        }

        return (min, max);
    }
}

/// <summary>Each row of a sample index can follow the one before it (see <see cref="SampleRows"/>).</summary>
internal sealed class RowCheck<T>(SampleRows rules) : EntryCheck
    where T : unmanaged, INumber<T>
{
    /// <inheritdoc/>
    public override string? Check(ReadOnlySpan<byte> bytes, long offset, int length)
    {
        var (first, count, at) = Entries(offset, length, 2 * Marshal.SizeOf<T>());
        if (count == 0)
        {
            return null;
        }

        // With the row behind the chunk, which the last one of it must allow; the last of all has none.
        var numbers = MemoryMarshal.Cast<byte, T>(bytes[at..]);
        var rows = (int)Math.Min(count + 1, rules.Samples + 1 - first);
        var (position, token) = (long.CreateTruncating(numbers[0]), long.CreateTruncating(numbers[1]));
        if (first == 0 && (position, token) != (0, 0))
        {
            return rules.Describe(0, (position, token), (0, 0));
        }

        for (var row = 1; row < rows; row++)
        {
            var (nextPosition, nextToken) = (long.CreateTruncating(numbers[2 * row]), long.CreateTruncating(numbers[(2 * row) + 1]));
            if (!rules.MayFollow(first + row, (nextPosition, nextToken), (position, token)))
            {
                return rules.Describe(first + row, (nextPosition, nextToken), (position, token));
            }

            (position, token) = (nextPosition, nextToken);
        }

        return null;
    }
}

/// <summary>
/// Which rows of a sample index can follow each other, whatever the data. Positions never fall, and inside one document samples are
/// exactly one sequence length apart; only the last sample may be shorter. An offset may be -1 in a last row at the last document alone:
/// releases up to 0.9 write it where a kept partial sample ends in an empty document (see <see cref="ReleaseRules.RefusesNegativeOffset"/>).
/// </summary>
/// <param name="Samples">The samples; there is one row more.</param>
/// <param name="Documents">Entries of the document index.</param>
/// <param name="SequenceLength">Tokens a sample.</param>
internal readonly record struct SampleRows(long Samples, long Documents, long SequenceLength)
{
    /// <summary>Whether a row other than the first can follow another.</summary>
    public bool MayFollow(long row, (long Position, long Offset) next, (long Position, long Offset) last)
    {
        var isLast = row == Samples;
        var tokens = next.Position == last.Position ? next.Offset - last.Offset : next.Offset;
        return next.Position >= last.Position && next.Position < Math.Max(1, Documents)
            && (next.Offset >= 0 || (next.Offset == -1 && isLast && next.Position == Math.Max(1, Documents) - 1))
            && (next.Position > last.Position || isLast ? tokens <= SequenceLength : tokens == SequenceLength);
    }

    /// <summary>Says that a row cannot follow another.</summary>
    public string Describe(long row, (long Position, long Offset) next, (long Position, long Offset) last) =>
        $"row {row} is ({next.Position}, {next.Offset}), which cannot follow ({last.Position}, {last.Offset}) at {SequenceLength} tokens a sample and {Documents} documents";
}
