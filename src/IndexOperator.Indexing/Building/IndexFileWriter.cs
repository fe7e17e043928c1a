using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace IndexOperator.Indexing;

/// <summary>Writes one planned file: header and little-endian items, hashed on the way, and nothing but what was planned.</summary>
internal static class IndexFileWriter
{
    private const int ChunkBytes = 1 << 20;

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

            if (file.Dtype is not null)
            {
                Append(new NpyHeader(file.Dtype, file.Shape!).ToBytes());
            }

            produce(Append);
            if (written != file.Bytes)
            {
                throw new InvalidOperationException($"{file.Name} has {written} bytes, but {file.Bytes} were planned.");
            }

            directory.Seal(file.Name, stream);
        }
        catch
        {
            directory.Abandon(file.Name, stream);
            throw;
        }

        return new IndexFile(file.Name, written, Convert.ToHexStringLower(hash.GetHashAndReset()), file.Dtype, file.Shape, blocks.Finish());
    }
}
