using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace IndexOperator.Indexing;

/// <summary>
/// CRC-32 of up to 64 equal blocks of a file. A SHA-256 tells that a file changed; these tell where, and unlike it can be
/// computed by several threads at once.
/// </summary>
internal sealed class BlockChecksums
{
    private const int MaxBlocks = 64;
    private const int HexDigits = 8;

    private readonly Crc32 _current = new();
    private readonly StringBuilder _finished = new();
    private readonly long _blockBytes;
    private long _left;

    /// <param name="fileBytes">Bytes that the file is to have: they decide the blocks.</param>
    public BlockChecksums(long fileBytes)
    {
        _blockBytes = BlockBytes(fileBytes);
        _left = _blockBytes;
    }

    /// <summary>The checksums of a whole file.</summary>
    public static string Of(ReadOnlySpan<byte> file)
    {
        var size = (int)BlockBytes(file.Length);
        Span<char> text = stackalloc char[MaxBlocks * HexDigits];
        var length = 0;
        for (; !file.IsEmpty; file = file[Math.Min(size, file.Length)..])
        {
            _ = Crc32.HashToUInt32(file[..Math.Min(size, file.Length)]).TryFormat(text[length..], out var written, "x8", CultureInfo.InvariantCulture);
            length += written;
        }

        return new string(text[..length]);
    }

    /// <summary>Adds the next bytes of the file.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var part = bytes[..(int)Math.Min(bytes.Length, _left)];
            _current.Append(part);
            bytes = bytes[part.Length..];
            _left -= part.Length;
            if (_left == 0)
            {
                FinishBlock();
            }
        }
    }

    /// <summary>Ends the last block and returns all checksums: eight lower-case hex digits a block.</summary>
    public string Finish()
    {
        if (_left < _blockBytes)
        {
            FinishBlock();
        }

        return _finished.ToString();
    }

    /// <summary>The first byte and the byte after the last one of the first block that differs; null when none does.</summary>
    public static (long Begin, long End)? FirstDifference(long fileBytes, string expected, string actual)
    {
        var same = 0;
        while (same < Math.Min(expected.Length, actual.Length) && expected[same] == actual[same])
        {
            same++;
        }

        var begin = same / HexDigits * BlockBytes(fileBytes);
        return same == expected.Length && same == actual.Length || begin >= fileBytes
            ? null
            : (begin, Math.Min(fileBytes, begin + BlockBytes(fileBytes)));
    }

    /// <summary>Begin and end of each block of a file.</summary>
    public static IEnumerable<(long Begin, long End)> Of(long fileBytes)
    {
        for (var begin = 0L; begin < fileBytes; begin += BlockBytes(fileBytes))
        {
            yield return (begin, Math.Min(fileBytes, begin + BlockBytes(fileBytes)));
        }
    }

    /// <summary>The checksum of each block; null when there is not one for each.</summary>
    public static uint[]? Parse(long fileBytes, string? checksums)
    {
        var blocks = (fileBytes + BlockBytes(fileBytes) - 1) / BlockBytes(fileBytes);
        if (checksums?.Length != blocks * HexDigits)
        {
            return null;
        }

        var parsed = new uint[blocks];
        for (var block = 0; block < blocks; block++)
        {
            if (!uint.TryParse(checksums.AsSpan(block * HexDigits, HexDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out parsed[block]))
            {
                return null;
            }
        }

        return parsed;
    }

    private static long BlockBytes(long fileBytes) => Math.Max(MaxBlocks, (fileBytes + MaxBlocks - 1) / MaxBlocks);

    private void FinishBlock()
    {
        Span<byte> checksum = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(checksum, _current.GetCurrentHashAsUInt32());
        _finished.Append(Convert.ToHexStringLower(checksum));
        _current.Reset();
        _left = _blockBytes;
    }
}
