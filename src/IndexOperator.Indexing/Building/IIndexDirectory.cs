namespace IndexOperator.Indexing;

/// <summary>Where a build puts its files. Called from several threads for different names.</summary>
public interface IIndexDirectory
{
    /// <summary>Opens a new file for writing from its beginning.</summary>
    Stream Create(string name);

    /// <summary>Ends a written file, whole and with nothing to add; <paramref name="stream"/> is closed.</summary>
    void Seal(string name, Stream stream, long bytes);

    /// <summary>Drops a file that could not be finished; never fails.</summary>
    void Abandon(string name, Stream stream);
}

/// <summary>A file that was written.</summary>
/// <param name="Name">Name inside the cache directory.</param>
/// <param name="Bytes">Size in bytes.</param>
/// <param name="Sha256">Lower-case hex SHA-256 of its bytes.</param>
/// <param name="Dtype">numpy's type text; null for a description.</param>
/// <param name="Shape">Length of each dimension; null for a description.</param>
/// <param name="Blocks">CRC-32 of each of up to 64 equal blocks, which tell where a changed file changed; null in old versions.</param>
public sealed record IndexFile(string Name, long Bytes, string Sha256, string? Dtype = null, IReadOnlyList<long>? Shape = null, string? Blocks = null);
