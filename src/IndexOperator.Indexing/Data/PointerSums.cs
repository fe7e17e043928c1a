using System.Buffers.Binary;

namespace IndexOperator.Indexing;

/// <summary>
/// Tokens of a range of sequences from two of the pointers of an <c>.idx</c> file, so that a plan over terabytes reads some
/// hundred bytes of each file. The pointers in between are taken on trust; a build checks every one.
/// </summary>
internal sealed class PointerSums(string idxPath, IdxHeader header, long binBytes)
{
    public long SequenceCount => header.SequenceCount;

    /// <summary>Tokens of the sequences [begin, end).</summary>
    /// <exception cref="IndexingException">DataCorrupt: the pointers cannot be right.</exception>
    public long TokensIn(long begin, long end)
    {
        if (begin >= end)
        {
            return 0;
        }

        try
        {
            var (first, last) = (PointerAt(begin), PointerAt(end));
            var bytes = last - first;
            var longest = (Int128)(end - begin) * int.MaxValue * header.TokenType.ItemSize;
            return first >= 0 && bytes >= 0 && bytes <= longest && bytes % header.TokenType.ItemSize == 0 && last <= binBytes
                ? bytes / header.TokenType.ItemSize
                : throw IdxFormat.Corrupt(
                    idxPath,
                    $"sequences {begin} to {end} would lie at bytes {first} to {last} of a .bin of {binBytes} bytes, with tokens of {header.TokenType.ItemSize} bytes");
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {idxPath}", isWrite: false);
        }
    }

    /// <summary>Checks that document boundaries begin at 0 and end at the last sequence.</summary>
    public void CheckDocuments()
    {
        var boundaries = IdxHeader.Size + (12 * header.SequenceCount);
        var (first, last) = (ReadInt64(boundaries), ReadInt64(boundaries + (8 * (header.DocumentCount - 1))));
        if (first != 0 || last != header.SequenceCount)
        {
            throw IdxFormat.Corrupt(idxPath, $"document boundaries go from {first} to {last}, but must go from 0 to {header.SequenceCount}");
        }
    }

    /// <summary>Where a sequence begins in the <c>.bin</c>; the one after the last begins where the last ends.</summary>
    private long PointerAt(long sequence)
    {
        if (sequence < header.SequenceCount)
        {
            return ReadInt64(IdxHeader.Size + (4 * header.SequenceCount) + (8 * sequence));
        }

        Span<byte> length = stackalloc byte[4];
        Read(length, IdxHeader.Size + (4 * (sequence - 1)));
        return unchecked(PointerAt(sequence - 1) + ((long)BinaryPrimitives.ReadInt32LittleEndian(length) * header.TokenType.ItemSize));
    }

    private long ReadInt64(long offset)
    {
        Span<byte> bytes = stackalloc byte[8];
        Read(bytes, offset);
        return BinaryPrimitives.ReadInt64LittleEndian(bytes);
    }

    private void Read(Span<byte> target, long offset)
    {
        using var file = RegularFile.OpenRead(idxPath, IdxFormat.Corrupt);
        if (RandomAccess.Read(file, target, offset) != target.Length)
        {
            throw IdxFormat.Corrupt(idxPath, "it became shorter while it was being read");
        }
    }
}
