namespace IndexOperator.Indexing;

/// <summary>Removes what builds that are certainly over left in the staging area: killed ones could not do it themselves.</summary>
public static class StagingSweep
{
    /// <summary>Removes every staging directory whose name begins with a prefix, but one; published versions are never touched.</summary>
    /// <param name="files">File system of the cache.</param>
    /// <param name="cacheRoot">Root of the cache; it may be missing.</param>
    /// <param name="prefix">With what the build ids of one owner begin; 1 to 128 characters of a build id.</param>
    /// <param name="except">The build id that is kept; null = none.</param>
    /// <returns>The names of the removed directories, in order.</returns>
    /// <exception cref="IndexingException">InvalidSpec for an unusable prefix, or what the storage throws.</exception>
    public static IReadOnlyList<string> Remove(ICacheFileSystem files, string cacheRoot, string prefix, string? except = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        _ = CacheLayout.StagingPath(cacheRoot, prefix);
        var staging = Path.Combine(cacheRoot, CacheLayout.Staging);
        try
        {
            var dead = files.ListDirectories(staging)
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && name != except)
                .Order(StringComparer.Ordinal)
                .ToList();
            foreach (var name in dead)
            {
                files.DeleteDirectory(Path.Combine(staging, name));
            }

            return dead;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Removing {Path.Combine(staging, prefix)}*", isWrite: true);
        }
    }
}
