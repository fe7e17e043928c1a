using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>
/// One pass over an <c>.idx</c> file in two parts. The lengths come first in the file, and are a fifth of it; what follows
/// only has to agree with them. A build that has a thread to spare begins with the lengths while the rest is still read.
/// </summary>
internal sealed class IdxScan : IDisposable
{
    private const int ChunkBytes = 1 << 20;

    private readonly string _prefix;
    private readonly string _path;
    private readonly string _idxPath;
    private readonly SafeFileHandle _file;
    private readonly FileStamp _idx;
    private readonly FileStamp _bin;
    private readonly Action<long>? _advanced;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IdxFormat _format;
    private readonly byte[] _headerBytes;
    private IndexedDataset? _dataset;
    private IdxHeader? _header;
    private int[] _lengths = [];
    private long _offset;
    private bool _isHashed;

    /// <param name="prefix">Path without extension as the training run spells it.</param>
    /// <param name="path">Path without extension where the files are.</param>
    /// <param name="file">The <c>.idx</c>; closed with this.</param>
    /// <param name="idx">The file as it is.</param>
    /// <param name="bin">The <c>.bin</c> as it is.</param>
    /// <param name="advanced">Told the bytes read since the last call.</param>
    public IdxScan(string prefix, string path, SafeFileHandle file, FileStamp idx, FileStamp bin, Action<long>? advanced)
    {
        _prefix = prefix;
        _path = path;
        _idxPath = path + ".idx";
        _file = file;
        _idx = idx;
        _bin = bin;
        _advanced = advanced;
        _format = new IdxFormat(_idxPath);
        _headerBytes = new byte[(int)Math.Min(IdxHeader.Size, idx.Bytes)];
    }

    /// <summary>What was read; its checksum is only there once all is read.</summary>
    /// <exception cref="InvalidOperationException">The lengths are not read yet.</exception>
    public IndexedDataset Dataset => _dataset ?? throw new InvalidOperationException($"{_idxPath} is not read yet");

    /// <summary>Whether all was read and agrees.</summary>
    public bool IsFinished => Sha256.Length > 0;

    /// <summary>SHA-256 of all bytes, lower-case hex; empty until all is read.</summary>
    public string Sha256 { get; private set; } = "";

    /// <summary>Reads header and lengths.</summary>
    /// <param name="hash">Whether their bytes are hashed now, or with the rest: one thread works there, another waits for this.</param>
    /// <param name="cancellationToken">Stops between two chunks.</param>
    public void ReadLengths(bool hash, CancellationToken cancellationToken)
    {
        _isHashed = hash;
        Fill(_headerBytes, hash, cancellationToken);
        _header = IdxFormat.ParseHeader(_headerBytes, _idx.Bytes, _idxPath);

        // The counts agree with the size of the file, so this allocation is bounded by it.
        _lengths = GC.AllocateUninitializedArray<int>((int)_header.SequenceCount);
        for (var first = 0; first < _lengths.Length; first += ChunkBytes / 4)
        {
            var part = _lengths.AsSpan(first, Math.Min(ChunkBytes / 4, _lengths.Length - first));
            Fill(MemoryMarshal.AsBytes(part), hash, cancellationToken);
            _format.AddLengths(part, first);
        }

        _dataset = new IndexedDataset
        {
            Prefix = _prefix,
            Path = _path,
            TokenType = _header.TokenType,
            SequenceLengths = _lengths,
            DocumentCount = _header.DocumentCount,
            Tokens = _format.Tokens,
            LongestSequence = _format.LongestSequence,
            IsMultimodal = _header.IsMultimodal,
            IdxSha256 = "",
            Idx = _idx,
            Bin = _bin,
            Scan = this,
        };
    }

    /// <summary>Reads the rest, checks it against the lengths, and that neither file changed meanwhile.</summary>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt, PermissionDenied or StorageError.</exception>
    public void Finish(CancellationToken cancellationToken)
    {
        try
        {
            HashLengths(cancellationToken);
            var header = _header!;
            var chunk = new byte[(int)Math.Min(ChunkBytes, 8 * Math.Max(header.SequenceCount, header.DocumentCount))];
            ForEachChunk(8 * header.SequenceCount, chunk, part => _format.AddPointers(part, _lengths.AsSpan((int)_format.PointersSeen, part.Length / 8), header.TokenType.ItemSize), cancellationToken);
            ForEachChunk(8 * header.DocumentCount, chunk, part => _format.AddDocuments(part, header), cancellationToken);
            ForEachChunk(header.IsMultimodal ? header.SequenceCount : 0, chunk, _ => { }, cancellationToken);
            IndexedDatasetReader.CheckBin(_path + ".bin", _bin.Bytes, _format.BinBytes);
            IndexedDatasetReader.ThrowIfChanged(Dataset);
            Sha256 = Convert.ToHexStringLower(_hash.GetHashAndReset());
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {_idxPath}", isWrite: false);
        }
        finally
        {
            Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private void HashLengths(CancellationToken cancellationToken)
    {
        if (_isHashed)
        {
            return;
        }

        _hash.AppendData(_headerBytes);
        for (var first = 0; first < _lengths.Length; first += ChunkBytes / 4)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _hash.AppendData(MemoryMarshal.AsBytes(_lengths.AsSpan(first, Math.Min(ChunkBytes / 4, _lengths.Length - first))));
        }
    }

    private void ForEachChunk(long bytes, byte[] chunk, Action<ReadOnlySpan<byte>> parse, CancellationToken cancellationToken)
    {
        for (var done = 0L; done < bytes; done += chunk.Length)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(chunk.Length, bytes - done));
            Fill(part, hash: true, cancellationToken);
            parse(part);
        }
    }

    private void Fill(Span<byte> target, bool hash, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IdxFormat.Fill(_file, target, _offset, _idxPath);

        if (hash)
        {
            _hash.AppendData(target);
        }

        _offset += target.Length;
        _advanced?.Invoke(target.Length);
    }
}
