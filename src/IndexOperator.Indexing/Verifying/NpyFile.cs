using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>Reads an array file, item by item or from beginning to end, after its header agreed with its size.</summary>
public sealed class NpyFile : IDisposable
{
    private const int ItemsPerChunk = 1 << 16;

    private readonly SafeFileHandle _file;
    private readonly int _itemSize;

    private NpyFile(SafeFileHandle file, NpyHeader header, string path)
    {
        _file = file;
        Header = header;
        Path = path;
        _itemSize = (int)NpyHeader.ItemSize(header.Dtype);
    }

    /// <summary>Type and shape.</summary>
    public NpyHeader Header { get; }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="IndexingException">VersionCorrupt: no such header, or another size; or what the storage throws.</exception>
    public static NpyFile Open(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            file = RegularFile.OpenRead(path, Corrupt);
            var bytes = new byte[NpyHeader.Size];
            var read = RandomAccess.Read(file, bytes, 0);
            var header = NpyHeader.Parse(bytes.AsSpan(0, read))
                ?? throw Corrupt(path, "its header, bytes 0 to 127, is not one of an index cache");
            var size = NpyHeader.Size + (header.Items * NpyHeader.ItemSize(header.Dtype));
            var length = RandomAccess.GetLength(file);
            var opened = length == size
                ? new NpyFile(file, header, path)
                : throw Corrupt(path, $"its header promises {size} bytes, but it has {length}: it is cut off or something was appended");
            file = null;
            return opened;
        }
        catch (FileNotFoundException)
        {
            throw Corrupt(path, "it is missing");
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {path}", isWrite: false);
        }
        finally
        {
            file?.Dispose();
        }
    }

    /// <summary>One item, counted over all dimensions.</summary>
    /// <exception cref="IndexingException">VersionCorrupt: there is no such item.</exception>
    public long this[long item]
    {
        get
        {
            Span<byte> bytes = stackalloc byte[8];
            var isThere = item >= 0 && item < Header.Items
                && RandomAccess.Read(_file, bytes[.._itemSize], NpyHeader.Size + (item * _itemSize)) == _itemSize;
            return isThere ? Decode(bytes) : throw Corrupt(Path, $"it has {Header.Items} items, and item {item} is asked for");
        }
    }

    /// <summary>All items in order.</summary>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <param name="advanced">Told the number of items read since the last call, now and then.</param>
    public IEnumerable<long> Items(CancellationToken cancellationToken, Action<long>? advanced = null)
    {
        var chunk = new byte[ItemsPerChunk * _itemSize];
        var offset = (long)NpyHeader.Size;
        var end = offset + (Header.Items * _itemSize);
        while (offset < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = (int)Math.Min(chunk.Length, end - offset);
            if (RegularFile.Fill(_file, chunk.AsSpan(0, length), offset) < length)
            {
                throw Corrupt(Path, "it became shorter while it was read");
            }

            for (var at = 0; at < length; at += _itemSize)
            {
                yield return Decode(chunk.AsSpan(at, _itemSize));
            }

            offset += length;
            advanced?.Invoke(length / _itemSize);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    internal static IndexingException Corrupt(string path, string cause) => new(
        FailureReason.VersionCorrupt,
        $"{path} cannot be used: {cause}. Move the cache away once nothing uses it, and build again.");

    private long Decode(ReadOnlySpan<byte> bytes) => Header.Dtype switch
    {
        "<i2" => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        "<i4" => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        "<u4" => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        _ => BinaryPrimitives.ReadInt64LittleEndian(bytes),
    };
}
