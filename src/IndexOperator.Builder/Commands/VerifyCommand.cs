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
        var (threads, format) = (CommonOptions.Threads(), CommonOptions.Format());
        var command = new Command("verify", """
            Checks a version against its manifest (checksums, headers, missing and strange files), and any index directory
            in itself (keys, headers, ranges, permutations, blends against their members). Exit code 5 when it is corrupt.

            Examples:
              index-builder verify /npy_index/versions/5f0c0e6d0b1a2c3d4e5f
              index-builder verify ./npy_index
            """)
        {
            directory, threads, format,
        };
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var path = CommonOptions.ExistingDirectory(parsed.GetValue(directory)!);

            var (manifest, datasets) = terminal.ShowProgress(TimeProvider.System, progress =>
            {
                var options = new BuildOptions { Threads = parsed.GetValue(threads), Progress = progress };
                var isVersion = File.Exists(Path.Combine(path, CacheLayout.Manifest)) || IsVersion(path);
                return (isVersion ? VersionVerifier.Verify(path, options) : null, IndexDirectoryVerifier.Verify(path, options));
            });
            var files = Directory.EnumerateFiles(path).Count();
            var result = new VerifyResult(path, manifest is null ? "IndexMappingDir" : "Version", manifest?.Version, datasets.Count, files, VersionVerifier.SizeOf(path));
            Terminal.WriteLine(terminal.Mode == TalkMode.Json
                ? JsonSerializer.Serialize(result, PrettyJson.Context.VerifyResult)
                : string.Create(CultureInfo.InvariantCulture, $"OK {path}: {result.Datasets} datasets, {result.Files} files, {result.Bytes:N0} bytes"));
        }));
        return command;
    }

    /// <summary>A directory below versions/ must have a manifest; without one it is damaged, not bare.</summary>
    private static bool IsVersion(string path) => new DirectoryInfo(path).Parent?.Name == CacheLayout.Versions;
}
