using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder verify</c>.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "A version directory, or a bare index_mapping_dir." };
        var withData = new Option<bool>("--with-data") { Description = "Read the data's .idx files too, and check every token offset against them." };
        var (map, threads, format) = (CommonOptions.Map(), CommonOptions.Threads(), CommonOptions.Format());
        var recompute = new Option<bool>("--recompute") { Description = "Compute document indices, shuffles and blends again, also of a version, from seed, weights and size." };
        var command = new Command("verify", """
            Checks a version in one pass over its bytes, as fast as they can be read: checksums, headers, missing and strange
            files, and that counts, ranges and the order of rows agree. With --recompute every SHA-256, every shuffle against
            its seed and every blend against its weights and members too: what a manifest that is itself wrong cannot hide.
            A directory without manifest has no checksums and is always checked in that way, which takes the time and memory
            of a build. What only the data can tell, the token offsets of such a directory, needs --with-data, which also
            finds an index whose data changed since. Exit code 5 when it is corrupt.

            Examples:
              index-builder verify /npy_index/versions/5f0c0e6d0b1a2c3d4e5f
              index-builder verify /npy_index/versions/5f0c0e6d0b1a2c3d4e5f --recompute
              index-builder verify ./npy_index --with-data --map /data=./corpus
            """)
        {
            directory, recompute, withData, map, threads, format,
        };
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var path = CommonOptions.ExistingDirectory(parsed.GetValue(directory)!);

            var isVersion = File.Exists(Path.Combine(path, CacheLayout.Manifest)) || IsVersion(path);
            var isRecomputed = !isVersion || parsed.GetValue(recompute) || parsed.GetValue(withData);
            var (manifest, datasets) = terminal.ShowProgress(TimeProvider.System, progress =>
            {
                var options = new BuildOptions { Threads = parsed.GetValue(threads), Progress = progress };
                var (manifest, datasets) = isVersion ? VersionVerifier.VerifyContents(path, options, isWhole: isRecomputed) : (null, []);
                var load = parsed.GetValue(withData) ? Loader(manifest, DataRoots.Parse(parsed.GetValue(map)!, null)) : null;
                return (manifest, isRecomputed ? IndexDirectoryVerifier.Verify(path, options, load) : datasets);
            });
            var files = Directory.EnumerateFiles(path).Count();
            var result = new VerifyResult(
                path, manifest is null ? "IndexMappingDir" : "Version", manifest?.Version, datasets.Count, files, VersionVerifier.SizeOf(path), isRecomputed, parsed.GetValue(withData));
            var extent = result switch
            {
                { WithData: true } => ", agreeing with the data",
                { Version: null } => "; token offsets were not compared with the data (--with-data does)",
                { Recomputed: true } => ", computed again",
                _ => ", as published",
            };
            Terminal.WriteLine(terminal.Mode == TalkMode.Json
                ? JsonSerializer.Serialize(result, PrettyJson.Context.VerifyResult)
                : string.Create(CultureInfo.InvariantCulture, $"OK {path}: {result.Datasets} datasets, {result.Files} files, {result.Bytes:N0} bytes{extent}"));
        }));
        return command;
    }

    /// <summary>Reads data; that of a version must still be what the version was built from.</summary>
    private static Func<string, IndexedDataset> Loader(IndexManifest? manifest, DataRoots roots) => prefix =>
    {
        var data = IndexedDatasetReader.Read(prefix, roots.Locate(prefix));
        return manifest?.Data.FirstOrDefault(described => described.Prefix == prefix) is not { } described || described.IdxSha256 == data.IdxSha256
            ? data
            : throw new IndexingException(
                FailureReason.DataCorrupt,
                $"{data.Path}.idx has the SHA-256 {data.IdxSha256}, but version {manifest.Version} was built from {described.IdxSha256}: the data changed since. Verify without --with-data, or restore the data.");
    };

    /// <summary>A directory below versions/ must have a manifest; without one it is damaged, not bare.</summary>
    private static bool IsVersion(string path) => new DirectoryInfo(path).Parent?.Name == CacheLayout.Versions;
}
