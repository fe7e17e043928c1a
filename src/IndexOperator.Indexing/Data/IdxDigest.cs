using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>
/// Reads, checks and hashes all of an <c>.idx</c> without keeping its lengths, where a fingerprint is all that is wanted. Lengths are read
/// a second time beside the pointers that must agree with them: a fifth of the bytes, mostly still in the page cache, costs less than
/// memory for all of them, which the kernel would have to give page by page.
/// </summary>
internal sealed class IdxDigest : IDisposable
{
    // Pointers and their lengths stay in a core's own cache while they are read, hashed and checked.
    private const int ChunkBytes = 256 << 10;

    private readonly string _idxPath;
    private readonly SafeFileHandle _file;
    private readonly Action<long>? _advanced;
    private readonly CancellationToken _cancellationToken;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly PageBuffer _chunk;
    private long _offset;

    private IdxDigest(string idxPath, SafeFileHandle file, long bytes, Action<long>? advanced, CancellationToken cancellationToken)
    {
        _idxPath = idxPath;
        _file = file;
        _advanced = advanced;
        _cancellationToken = cancellationToken;
        _chunk = new PageBuffer((int)Math.Min(ChunkBytes, bytes));
    }

    /// <summary>Reads one dataset.</summary>
    /// <param name="prefix">Path without extension as the training run spells it.</param>
    /// <param name="path">Path without extension where the files are.</param>
    /// <param name="file">The <c>.idx</c>.</param>
    /// <param name="idx">The file as it is.</param>
    /// <param name="bin">The <c>.bin</c> as it is.</param>
    /// <param name="advanced">Told the bytes read since the last call.</param>
    /// <param name="cancellationToken">Stops between two chunks.</param>
    /// <exception cref="IndexingException">DataMissing or DataCorrupt.</exception>
    public static IndexedDataset Read(
        string prefix, string path, SafeFileHandle file, FileStamp idx, FileStamp bin, Action<long>? advanced, CancellationToken cancellationToken)
    {
        using var digest = new IdxDigest(path + ".idx", file, idx.Bytes, advanced, cancellationToken);
        return digest.Read(prefix, path, idx, bin);
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private IndexedDataset Read(string prefix, string path, FileStamp idx, FileStamp bin)
    {
        var format = new IdxFormat(_idxPath);
        var header = IdxFormat.ParseHeader(Next((int)Math.Min(IdxHeader.Size, idx.Bytes)), idx.Bytes, _idxPath);
        var (sequences, done) = (header.SequenceCount, 0L);
        ForEachChunk(4 * sequences, part =>
        {
            format.AddLengths(MemoryMarshal.Cast<byte, int>(part), done);
            done += part.Length / 4;
        });
        var again = new PageBuffer((int)Math.Min(ChunkBytes / 2, 4 * sequences));
        done = 0;
        ForEachChunk(8 * sequences, part =>
        {
            var lengths = Fill(again, IdxHeader.Size + (4 * done), part.Length / 2);
            format.AddPointers(part, MemoryMarshal.Cast<byte, int>(lengths), header.TokenType.ItemSize);
            done += part.Length / 8;
        });
        ForEachChunk(8 * header.DocumentCount, part => format.AddDocuments(part, header));
        ForEachChunk(header.IsMultimodal ? sequences : 0, _ => { });
        IndexedDatasetReader.CheckBin(path + ".bin", bin.Bytes, format.BinBytes);
        var dataset = new IndexedDataset
        {
            Prefix = prefix,
            Path = path,
            TokenType = header.TokenType,
            SequenceLengths = [],
            DocumentCount = header.DocumentCount,
            Tokens = format.Tokens,
            LongestSequence = format.LongestSequence,
            IsMultimodal = header.IsMultimodal,
            IdxSha256 = Convert.ToHexStringLower(_hash.GetHashAndReset()),
            Idx = idx,
            Bin = bin,
            Pointers = new PointerSums(_idxPath, header, bin.Bytes),
        };
        IndexedDatasetReader.ThrowIfChanged(dataset);
        return dataset;
    }

    private void ForEachChunk(long bytes, Action<ReadOnlySpan<byte>> parse)
    {
        for (var done = 0L; done < bytes; done += ChunkBytes)
        {
            parse(Next((int)Math.Min(ChunkBytes, bytes - done)));
        }
    }

    /// <summary>The next bytes of the file, hashed.</summary>
    private Span<byte> Next(int length)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        var part = Fill(_chunk, _offset, length);
        _hash.AppendData(part);
        _offset += length;
        _advanced?.Invoke(length);
        return part;
    }

    private Span<byte> Fill(PageBuffer buffer, long offset, int length)
    {
        var target = buffer.For(offset, length);
        IdxFormat.Fill(_file, target, offset, _idxPath);
        return target;
    }

    /// <summary>
    /// Memory whose bytes lie in pages as those of the file do. The kernel copies faster then: where target and source lie a few bytes
    /// apart in their pages, each load seems to depend on the store before it.
    /// </summary>
    private readonly struct PageBuffer
    {
        private const int PageBytes = 4096;

        private readonly byte[] _bytes;
        private readonly int _firstPage;

        public PageBuffer(int length)
        {
            _bytes = GC.AllocateUninitializedArray<byte>(length + (2 * PageBytes), pinned: true);
            _firstPage = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0) & (PageBytes - 1));
        }

        public Span<byte> For(long fileOffset, int length) => _bytes.AsSpan(_firstPage + (int)(fileOffset & (PageBytes - 1)), length);
    }
}
