using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>
/// Parses the fields of an <c>.idx</c> file, little-endian and packed (<c>indexed_dataset.py</c>, <c>_IndexWriter</c>):
/// header of 34 bytes, int32 lengths[S], int64 pointers[S], int64 document_indices[D], and int8 modes[S] when multimodal.
/// Fields need not be aligned. Every number is suspect until it agrees with the file's size and with the others.
/// </summary>
internal sealed class IdxFormat
{
    private static ReadOnlySpan<byte> Magic => "MMIDIDX\0\0"u8;

    private readonly string _path;
    private long _nextPointer;
    private long _pointersSeen;
    private long _documentsSeen;
    private long _lastDocument;

    public IdxFormat(string path) => _path = path;

    public long Tokens { get; private set; }

    public int LongestSequence { get; private set; }

    /// <summary>Pointers checked so far.</summary>
    public long PointersSeen => _pointersSeen;

    /// <summary>Bytes of <c>.bin</c> that the pointers and lengths reach to.</summary>
    public long BinBytes => _nextPointer;

    /// <summary>Checks the header against the size of the file, before anything is allocated by its counts.</summary>
    public static IdxHeader ParseHeader(ReadOnlySpan<byte> header, long fileBytes, string path)
    {
        if (fileBytes < IdxHeader.Size || header.Length < IdxHeader.Size)
        {
            throw Corrupt(path, $"it has {fileBytes} bytes, and its header alone needs {IdxHeader.Size}");
        }

        if (!header[..Magic.Length].SequenceEqual(Magic))
        {
            throw Corrupt(path, "it does not begin with MMIDIDX, so it is no Megatron index");
        }

        var version = BinaryPrimitives.ReadUInt64LittleEndian(header[9..]);
        if (version != 1)
        {
            throw Corrupt(path, $"its format version is {version}, and only 1 is known");
        }

        var tokenType = TokenType.FromCode(header[17]) ?? throw Corrupt(path, $"its token type code {header[17]} is unknown (1 to 8 are)");
        var sequences = BinaryPrimitives.ReadUInt64LittleEndian(header[18..]);
        var documents = BinaryPrimitives.ReadUInt64LittleEndian(header[26..]);
        if (sequences > (ulong)Array.MaxLength || documents > long.MaxValue / 16 || documents == 0)
        {
            throw Corrupt(path, $"its header counts {sequences} sequences and {documents} document boundaries, which no index can hold");
        }

        var plain = IdxHeader.Size + (12 * (long)sequences) + (8 * (long)documents);
        var isMultimodal = sequences > 0 && fileBytes == plain + (long)sequences;
        return isMultimodal || fileBytes == plain
            ? new IdxHeader(tokenType, (long)sequences, (long)documents, isMultimodal)
            : throw Corrupt(
                path,
                $"its header counts {sequences} sequences and {documents} document boundaries, which take {plain} bytes, but it has {fileBytes}");
    }

    public void AddLengths(ReadOnlySpan<int> lengths, long first)
    {
        var (sum, smallest, longest) = LengthSums.Of(lengths);
        if (smallest < 0)
        {
            var at = first + lengths.IndexOf(smallest);
            throw Corrupt(_path, $"sequence {at} has the length {smallest}");
        }

        Tokens += sum;
        LongestSequence = Math.Max(LongestSequence, longest);
    }

    /// <summary>Checks the next pointers against the lengths of the same sequences.</summary>
    public void AddPointers(ReadOnlySpan<byte> pointers, ReadOnlySpan<int> lengths, int itemSize)
    {
        var values = MemoryMarshal.Cast<byte, long>(pointers);
        if (values.Length > 0 && values[0] == _nextPointer && IdxVectors.FollowLengths(values, lengths, itemSize)
            && values[^1] + ((long)lengths[values.Length - 1] * itemSize) is >= 0 and var end)
        {
            (_nextPointer, _pointersSeen) = (end, _pointersSeen + values.Length);
            return;
        }

        for (var i = 0; i < pointers.Length; i += 8)
        {
            var pointer = BinaryPrimitives.ReadInt64LittleEndian(pointers[i..]);
            if (pointer != _nextPointer)
            {
                throw Corrupt(
                    _path,
                    $"sequence {_pointersSeen} should begin at byte {_nextPointer} of the .bin by the lengths before it, but its pointer says {pointer}");
            }

            _nextPointer += (long)lengths[i / 8] * itemSize;
            _pointersSeen++;
            if (_nextPointer < 0)
            {
                throw Corrupt(_path, "its lengths add up to more than 2^63 bytes");
            }
        }
    }

    /// <summary>Checks the next document boundaries.</summary>
    public void AddDocuments(ReadOnlySpan<byte> documents, IdxHeader header)
    {
        var values = MemoryMarshal.Cast<byte, long>(documents);
        if (values.Length > 0 && (_documentsSeen == 0 ? values[0] == 0 : values[0] >= _lastDocument)
            && values[^1] <= header.SequenceCount && IdxVectors.NeverFall(values))
        {
            (_lastDocument, _documentsSeen) = (values[^1], _documentsSeen + values.Length);
            documents = [];
        }

        for (var i = 0; i < documents.Length; i += 8)
        {
            var first = BinaryPrimitives.ReadInt64LittleEndian(documents[i..]);
            var isFirst = _documentsSeen == 0;
            if (isFirst ? first != 0 : first < _lastDocument || first > header.SequenceCount)
            {
                throw Corrupt(
                    _path,
                    $"document boundary {_documentsSeen} is {first}, but boundaries begin at 0, never fall and end at {header.SequenceCount}");
            }

            _lastDocument = first;
            _documentsSeen++;
        }

        if (_documentsSeen == header.DocumentCount && _lastDocument != header.SequenceCount)
        {
            throw Corrupt(_path, $"its last document ends at sequence {_lastDocument}, but it has {header.SequenceCount} sequences");
        }
    }

    /// <summary>Fills a buffer with bytes that the header promised.</summary>
    /// <exception cref="IndexingException">DataCorrupt: the file ends before.</exception>
    public static void Fill(SafeFileHandle file, Span<byte> buffer, long offset, string path)
    {
        if (RegularFile.Fill(file, buffer, offset) < buffer.Length)
        {
            throw Corrupt(path, "it became shorter while it was being indexed");
        }
    }

    public static IndexingException Corrupt(string path, string cause) => new(
        FailureReason.DataCorrupt,
        $"{path} cannot be used: {cause}. Write the dataset again (tools/preprocess_data.py) or restore it.");
}
