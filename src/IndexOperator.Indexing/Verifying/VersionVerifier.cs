namespace IndexOperator.Indexing;

/// <summary>Checks a published version against its manifest, byte for byte.</summary>
public static class VersionVerifier
{
    private const int MaxManifestBytes = 1 << 30;

    /// <summary>
    /// Checks every file's size, checksum, header and shape, and that no file is missing or strange. Large files are checked by the
    /// CRC-32s of their blocks, which threads share and which miss no change of up to four bytes in a row and of others one in four billion.
    /// </summary>
    /// <returns>The manifest.</returns>
    /// <exception cref="IndexingException">VersionCorrupt naming the first fault, or what the storage throws.</exception>
    public static IndexManifest Verify(string versionPath, BuildOptions options) =>
        Translate(versionPath, () =>
        {
            var manifest = ReadManifest(versionPath);
            CheckNames(versionPath, manifest);
            new FileChecks(versionPath, isWhole: false, ProgressOf(manifest, options), options).Run(manifest.Files, _ => null);
            return manifest;
        });

    /// <summary>
    /// Checks the same, and in the same pass that counts agree and entries are in range and order: what can be told without computing
    /// a shuffle again.
    /// </summary>
    /// <param name="versionPath">The version.</param>
    /// <param name="options">Threads, progress and cancellation.</param>
    /// <param name="isWhole">Whether the SHA-256 of every file is computed, of large ones too.</param>
    /// <returns>The manifest, and the datasets that the version has.</returns>
    /// <exception cref="IndexingException">VersionCorrupt naming the first fault, or what the storage throws.</exception>
    public static (IndexManifest Manifest, IReadOnlyList<CachedDataset> Datasets) VerifyContents(string versionPath, BuildOptions options, bool isWhole = false) =>
        Translate(versionPath, () =>
        {
            var manifest = ReadManifest(versionPath);
            CheckNames(versionPath, manifest);
            var checks = new FileChecks(versionPath, isWhole, ProgressOf(manifest, options), options);
            var (arrays, texts) = (manifest.Files.Where(file => file.Dtype is not null), manifest.Files.Where(file => file.Dtype is null));
            checks.Run(texts, _ => null); // What an array must be, they tell.
            var datasets = CachedDataset.FindAll(versionPath);
            var entries = new VersionContents(versionPath, manifest, datasets);
            checks.Run(arrays, entries.CheckOf);
            return (manifest, datasets);
        });

    /// <summary>Checks that every file is there with its size and nothing else is: quick, whatever the size, and blind to changed bytes.</summary>
    /// <returns>The manifest.</returns>
    /// <exception cref="IndexingException">VersionCorrupt naming the first fault, or what the storage throws.</exception>
    public static IndexManifest VerifySizes(string versionPath)
    {
        try
        {
            var manifest = ReadManifest(versionPath);
            CheckNames(versionPath, manifest);
            foreach (var file in manifest.Files)
            {
                FileChecks.CheckLength(versionPath, file, new FileInfo(Path.Combine(versionPath, file.Name)).Length);
            }

            return manifest;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Looking at {versionPath}", isWrite: false);
        }
    }

    /// <summary>Reads the manifest of a version.</summary>
    /// <exception cref="IndexingException">VersionCorrupt: it is missing or no manifest.</exception>
    public static IndexManifest ReadManifest(string versionPath)
    {
        try
        {
            var json = RegularFile.ReadAll(Path.Combine(versionPath, CacheLayout.Manifest), MaxManifestBytes, Corrupt);
            return json is not null && IndexManifest.Parse(json) is { } manifest
                ? manifest
                : throw Corrupt(versionPath, $"its {CacheLayout.Manifest} is no manifest of format {IndexManifest.CurrentFormat} that is as it was written: its text or its checksum changed");
        }
        catch (FileNotFoundException)
        {
            throw Corrupt(versionPath, $"it has no {CacheLayout.Manifest}");
        }
    }

    /// <summary>Bytes of all files of a version.</summary>
    public static long SizeOf(string versionPath) => new DirectoryInfo(versionPath).EnumerateFiles().Sum(file => file.Length);

    private static PhaseProgress ProgressOf(IndexManifest manifest, BuildOptions options) =>
        new(options.Progress, BuildPhase.Verify, manifest.Files.Sum(file => file.Bytes));

    private static T Translate<T>(string versionPath, Func<T> verify)
    {
        try
        {
            return verify();
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {versionPath}", isWrite: false);
        }
    }

    private static void CheckNames(string path, IndexManifest manifest)
    {
        // A moved or copied version keeps its manifest, but a directory under another version's name is a mistake.
        var directory = new DirectoryInfo(path);
        if (directory.Parent?.Name == CacheLayout.Versions && directory.Name != manifest.Version)
        {
            throw Corrupt(path, $"its manifest is of the version {manifest.Version}");
        }

        var expected = manifest.Files.Select(file => file.Name).Append(CacheLayout.Manifest).ToHashSet(StringComparer.Ordinal);
        foreach (var name in expected.Where(name => name != Path.GetFileName(name) || name is "" or "." or ".."))
        {
            throw Corrupt(path, $"its manifest names \"{name}\", which is no file of the directory");
        }

        foreach (var entry in directory.EnumerateFileSystemInfos())
        {
            if (!expected.Remove(entry.Name))
            {
                throw Corrupt(path, $"it holds {entry.Name}, which its manifest does not name");
            }

            if (entry is not FileInfo || entry.LinkTarget is not null)
            {
                throw Corrupt(path, $"{entry.Name} is a {(entry.LinkTarget is null ? "directory" : "link")}, and a version has only files");
            }
        }

        if (expected.Order(StringComparer.Ordinal).FirstOrDefault() is { } missing)
        {
            throw Corrupt(path, $"{missing} is missing");
        }
    }

    /// <summary>The failure of a version.</summary>
    internal static IndexingException Corrupt(string path, string cause) => new(
        FailureReason.VersionCorrupt,
        $"The published version {path} is corrupt: {cause}. Move it away once no pod uses it, and build again.");
}
