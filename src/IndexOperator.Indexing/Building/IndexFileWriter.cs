using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace IndexOperator.Indexing;

/// <summary>Writes one planned file: header and little-endian items, hashed on the way, and nothing but what was planned.</summary>
internal static class IndexFileWriter
{
    private const int ChunkBytes = 1 << 20;

    // Up to here a file is put together in memory first.
    private const int SmallBytes = 1 << 16;

    /// <summary>Receives the content of a file.</summary>
    public delegate void Sink(ReadOnlySpan<byte> bytes);

    /// <summary>Writes a description.</summary>
    public static IndexFile WriteText(IIndexDirectory directory, PlannedFile file, string ascii, CancellationToken cancellationToken) =>
        Write(directory, file, sink => sink(Encoding.ASCII.GetBytes(ascii)), cancellationToken);

    /// <summary>Writes a whole array.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="file">The planned file.</param>
    /// <param name="items">Its items.</param>
    /// <param name="cancellationToken">Stops between two chunks.</param>
    /// <param name="advanced">Told the number of items written since the last call.</param>
    public static IndexFile WriteArray<T>(
        IIndexDirectory directory, PlannedFile file, NativeBuffer<T> items, CancellationToken cancellationToken, Action<long>? advanced = null)
        where T : unmanaged =>
        Write(
            directory,
            file,
            sink =>
            {
                for (var first = 0L; first < items.Length; first += ChunkBytes)
                {
                    var part = items.Slice(first, (int)Math.Min(ChunkBytes, items.Length - first));
                    sink(MemoryMarshal.AsBytes(part));
                    advanced?.Invoke(part.Length);
                }
            },
            cancellationToken);

    /// <summary>Writes a file whose content is given piece by piece.</summary>
    public static IndexFile Write(IIndexDirectory directory, PlannedFile file, Action<Sink> produce, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return file.Bytes <= SmallBytes ? WriteSmall(directory, file, produce) : WriteLarge(directory, file, produce, cancellationToken);
    }

    /// <summary>As a whole: with thousands of small files, every call and every object for a piece of one counts.</summary>
    private static IndexFile WriteSmall(IIndexDirectory directory, PlannedFile file, Action<Sink> produce)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)file.Bytes);
        try
        {
            var length = 0;
            void Append(ReadOnlySpan<byte> bytes)
            {
                if (bytes.Length > file.Bytes - length)
                {
                    throw NotAsPlanned(file, (long)length + bytes.Length);
                }

                bytes.CopyTo(buffer.AsSpan(length));
                length += bytes.Length;
            }

            Produce(file, produce, Append, () => length);
            var content = buffer.AsSpan(0, length);
            var stream = directory.Create(file.Name);
            try
            {
                stream.Write(content);
                directory.Seal(file.Name, stream, length);
            }
            catch
            {
                directory.Abandon(file.Name, stream);
                throw;
            }

            return new IndexFile(file.Name, length, Convert.ToHexStringLower(SHA256.HashData(content)), file.Dtype, file.Shape, BlockChecksums.Of(content));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static IndexFile WriteLarge(IIndexDirectory directory, PlannedFile file, Action<Sink> produce, CancellationToken cancellationToken)
    {
        var blocks = new BlockChecksums(file.Bytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var stream = directory.Create(file.Name);
        var written = 0L;
        try
        {
            void Append(ReadOnlySpan<byte> bytes)
            {
                for (var done = 0; done < bytes.Length; done += ChunkBytes)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var chunk = bytes.Slice(done, Math.Min(ChunkBytes, bytes.Length - done));
                    stream.Write(chunk);
                    hash.AppendData(chunk);
                    blocks.Append(chunk);
                    written += chunk.Length;
                }
            }

            Produce(file, produce, Append, () => written);
            directory.Seal(file.Name, stream, written);
        }
        catch
        {
            directory.Abandon(file.Name, stream);
            throw;
        }

        return new IndexFile(file.Name, written, Convert.ToHexStringLower(hash.GetHashAndReset()), file.Dtype, file.Shape, blocks.Finish());
    }

    private static void Produce(PlannedFile file, Action<Sink> produce, Sink sink, Func<long> written)
    {
        if (file.Dtype is not null)
        {
            sink(new NpyHeader(file.Dtype, file.Shape!).ToBytes());
        }

        produce(sink);
        if (written() != file.Bytes)
        {
            throw NotAsPlanned(file, written());
        }
    }

    private static InvalidOperationException NotAsPlanned(PlannedFile file, long written) =>
        new($"{file.Name} has {written} bytes, but {file.Bytes} were planned.");
}
