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
        var command = new Command("verify", """
            Checks a version against its manifest (checksums, headers, missing and strange files), and any index directory
            in itself: keys, headers, ranges, every shuffle against its seed, every blend against its weights and members.
            What only the data can tell, the token offsets of a directory without manifest, needs --with-data, which also
            finds an index whose data changed since. Takes the time and memory of a build. Exit code 5 when it is corrupt.

            Examples:
              index-builder verify /npy_index/versions/5f0c0e6d0b1a2c3d4e5f
              index-builder verify ./npy_index --with-data --map /data=./corpus
            """)
        {
            directory, withData, map, threads, format,
        };
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var path = CommonOptions.ExistingDirectory(parsed.GetValue(directory)!);

            var (manifest, datasets) = terminal.ShowProgress(TimeProvider.System, progress =>
            {
                var options = new BuildOptions { Threads = parsed.GetValue(threads), Progress = progress };
                var isVersion = File.Exists(Path.Combine(path, CacheLayout.Manifest)) || IsVersion(path);
                var manifest = isVersion ? VersionVerifier.Verify(path, options) : null;
                var load = parsed.GetValue(withData) ? Loader(manifest, DataRoots.Parse(parsed.GetValue(map)!, null)) : null;
                return (manifest, IndexDirectoryVerifier.Verify(path, options, load));
            });
            var files = Directory.EnumerateFiles(path).Count();
            var result = new VerifyResult(path, manifest is null ? "IndexMappingDir" : "Version", manifest?.Version, datasets.Count, files, VersionVerifier.SizeOf(path), parsed.GetValue(withData));
            Terminal.WriteLine(terminal.Mode == TalkMode.Json
                ? JsonSerializer.Serialize(result, PrettyJson.Context.VerifyResult)
                : string.Create(CultureInfo.InvariantCulture, $"OK {path}: {result.Datasets} datasets, {result.Files} files, {result.Bytes:N0} bytes{(result.WithData ? ", agreeing with the data" : manifest is null ? "; token offsets were not compared with the data (--with-data does)" : "")}"));
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
