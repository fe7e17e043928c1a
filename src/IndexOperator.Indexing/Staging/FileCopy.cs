using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>A piece of a file that was read.</summary>
/// <param name="Bytes">A buffer, longer than the piece as a rule.</param>
/// <param name="Length">Bytes of the piece.</param>
internal readonly record struct Chunk(byte[] Bytes, int Length);

/// <summary>
/// One file on its way. Several threads read and write pieces of it, in any order; its SHA-256 takes them in order, on one
/// thread at a time.
/// </summary>
internal sealed class FileCopy(IndexFile file, string source, string destination) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, Chunk> _ready = [];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private SafeFileHandle? _source;
    private SafeFileHandle? _destination;
    private long _nextToTake;
    private long _nextToHash;
    private bool _isHashing;
    private bool _isFinished;

    public IndexFile File => file;

    private long Chunks => (file.Bytes + ParallelCopy.ChunkBytes - 1) / ParallelCopy.ChunkBytes;

    /// <summary>Whether every piece is taken.</summary>
    public bool IsTaken => _nextToTake == Chunks;

    public void Open(Func<string, string, IndexingException> refuse)
    {
        _source = RegularFile.OpenRead(Path.Combine(source, file.Name), refuse);
        _destination = System.IO.File.OpenHandle(Path.Combine(destination, file.Name), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(_destination, VersionStager.ReadableFile);
        }
    }

    /// <summary>The number of the next piece; one caller at a time.</summary>
    public long Take() => _nextToTake++;

    /// <summary>Copies a piece.</summary>
    /// <returns>The piece, still in the buffer.</returns>
    public Chunk Copy(long number, byte[] buffer)
    {
        var offset = number * ParallelCopy.ChunkBytes;
        var length = (int)Math.Min(ParallelCopy.ChunkBytes, file.Bytes - offset);
        var filled = RegularFile.Fill(_source!, buffer.AsSpan(0, length), offset);
        if (filled < length)
        {
            throw VersionVerifier.Corrupt(source, $"{file.Name} ends at byte {offset + filled} instead of {file.Bytes}: it was cut off while it was read");
        }

        RandomAccess.Write(_destination!, buffer.AsSpan(0, length), offset);
        return new Chunk(buffer, length);
    }

    /// <summary>Hands a piece over to the checksum.</summary>
    /// <returns>Whether somebody has to call <see cref="Hash"/>.</returns>
    public bool Add(long number, Chunk chunk)
    {
        lock (_lock)
        {
            _ready.Add(number, chunk);
            if (_isHashing || number != _nextToHash)
            {
                return false;
            }

            _isHashing = true;
            return true;
        }
    }

    /// <summary>Takes every piece that is next into the checksum.</summary>
    /// <param name="done">Told of each piece that is not needed any more.</param>
    public void Hash(Action<Chunk> done)
    {
        while (true)
        {
            Chunk chunk;
            lock (_lock)
            {
                if (!_ready.Remove(_nextToHash, out chunk))
                {
                    _isHashing = false;
                    return;
                }
            }

            _hash.AppendData(chunk.Bytes, 0, chunk.Length);
            done(chunk);
            lock (_lock)
            {
                _nextToHash++;
            }
        }
    }

    /// <summary>Compares the checksum with the manifest's, once every piece went into it.</summary>
    /// <exception cref="IndexingException">VersionCorrupt.</exception>
    public void FinishIfHashed()
    {
        lock (_lock)
        {
            if (_isFinished || _nextToHash < Chunks)
            {
                return;
            }

            _isFinished = true;
        }

        var actual = Convert.ToHexStringLower(_hash.GetHashAndReset());
        if (actual != file.Sha256)
        {
            // Where it differs, the copy tells: the source is not read again.
            throw FileChecks.AlteredCopy(source, file, actual, Path.Combine(destination, file.Name));
        }

        _source?.Dispose();
        _destination?.Dispose();
    }

    public void Dispose()
    {
        _source?.Dispose();
        _destination?.Dispose();
        _hash.Dispose();
    }
}
