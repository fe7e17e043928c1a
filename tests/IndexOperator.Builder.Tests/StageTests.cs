using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

/// <summary>Copying a version to a RAM disk: whole or not at all, however it is interrupted.</summary>
public sealed class StageTests : IDisposable
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly Workspace _workspace = new();
    private readonly string _version;

    public StageTests()
    {
        _workspace.WriteHoles("a", 200_000);
        var manifest = _workspace.WriteManifest("[{prefix: /data/a}]", "samples: {train: 1500000}");
        var (code, _, errors) = BuilderProcess.Run("build", "-f", manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map);
        Assert.True(code == 0, errors);
        _version = Assert.Single(_workspace.Versions);
    }

    private string Staged => _workspace["staged"];

    private string Largest => new DirectoryInfo(_version).EnumerateFiles().MaxBy(file => file.Length)!.Name;

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Every_file_is_copied_for_all_to_read_and_progress_and_report_are_told()
    {
        var (code, output, errors) = Stage();
        Assert.True(code == 0, errors);
        AssertWhole();
        Assert.Contains("{\"progress\":{\"phase\":\"Stage\"", output, StringComparison.Ordinal);
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out var report));
        Assert.Equal((BuildReport.Staged, Path.GetFileName(_version), VersionVerifier.SizeOf(_version)), (report.Outcome, report.Version, report.SizeBytes));
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.EnumerateFiles(Staged))
            {
                Assert.Equal(Readable, File.GetUnixFileMode(file));
            }

            Assert.Equal(Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute, File.GetUnixFileMode(Staged));
        }
    }

    [Fact]
    public void A_second_call_copies_nothing()
    {
        AssertCopied(FileCount);
        AssertCopied(0);
        AssertWhole();
    }

    [Fact]
    public void After_a_restart_half_way_what_is_right_is_kept_and_the_rest_replaced()
    {
        Assert.Equal(0, Stage().ExitCode);
        var files = Directory.GetFiles(Staged).Where(file => !file.EndsWith("manifest.json", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        File.Delete(Path.Combine(Staged, CacheLayout.Manifest));
        File.Delete(files[0]);
        File.WriteAllBytes(files[1], [1]);
        Damage(files[2]);
        File.WriteAllText(Path.Combine(Staged, CacheLayout.Manifest + ".tmp"), "torn");
        AssertCopied(3);
        AssertWhole();
    }

    [Fact]
    public void A_corrupt_file_is_named_with_the_place_and_nothing_stays()
    {
        Damage(Path.Combine(_version, Largest));
        var (code, _, errors) = Stage();
        Assert.Equal(5, code);
        Assert.Contains(Largest, errors, StringComparison.Ordinal);
        Assert.Contains("first between bytes", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Staged));
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out var report));
        Assert.Equal((BuildReport.Failed, Reasons.VersionCorrupt), (report.Outcome, report.Reason));
    }

    [Fact]
    public void A_version_that_is_cut_off_or_has_no_manifest_is_refused_before_a_byte_is_copied()
    {
        var file = Path.Combine(_version, Largest);
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^4]);
        Assert.Equal(5, Stage().ExitCode);
        File.Delete(Path.Combine(_version, CacheLayout.Manifest));
        Assert.Equal(5, Stage().ExitCode);
        Assert.False(Directory.Exists(Staged));
    }

    [Fact]
    public void A_directory_that_holds_something_else_is_left_alone()
    {
        Directory.CreateDirectory(Staged);
        File.WriteAllText(Path.Combine(Staged, "mine.txt"), "mine");
        var (code, _, errors) = Stage();
        Assert.Equal(2, code);
        Assert.Contains("mine.txt", errors, StringComparison.Ordinal);
        Assert.Equal("mine.txt", Path.GetFileName(Assert.Single(Directory.EnumerateFileSystemEntries(Staged))));
    }

    [Fact]
    public void A_link_in_the_place_of_a_file_is_refused_and_not_followed()
    {
        Directory.CreateDirectory(Staged);
        File.WriteAllText(_workspace["precious"], "precious");
        File.CreateSymbolicLink(Path.Combine(Staged, Largest), _workspace["precious"]);
        Assert.Equal(2, Stage().ExitCode);
        Assert.Equal("precious", File.ReadAllText(_workspace["precious"]));
    }

    [Fact]
    public void A_version_is_not_copied_onto_itself_whatever_link_leads_there()
    {
        Directory.CreateSymbolicLink(Staged, _version);
        Assert.Equal(2, Stage().ExitCode);
        Assert.Equal(0, BuilderProcess.Run("verify", _version).ExitCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public void The_number_of_threads_changes_nothing(int threads)
    {
        Assert.Equal(0, Stage("--threads", $"{threads}").ExitCode);
        AssertWhole();
    }

    [Fact]
    public void A_killed_copy_has_no_manifest_and_the_next_one_finishes()
    {
        for (var kill = 0; kill < 5; kill++)
        {
            using var process = BuilderProcess.Start("stage", _version, Staged);
            process.Until(() => Directory.Exists(Staged) && Directory.EnumerateFiles(Staged, "*.npy").Any());
            process.WaitAtMost(TimeSpan.FromMilliseconds(kill * 3));
            process.Kill();
            process.Wait();
            if (File.Exists(Path.Combine(Staged, CacheLayout.Manifest)))
            {
                AssertWhole();
            }
        }

        Assert.Equal(0, Stage().ExitCode);
        AssertWhole();
    }

    [Fact]
    public void A_terminated_copy_ends_with_code_75()
    {
        _workspace.WriteHoles("big", 1_000_000);
        var manifest = _workspace.WriteManifest("[{prefix: /data/big}]", "samples: {train: 9000000}", "big.yaml");
        Assert.Equal(0, BuilderProcess.Run("build", "-f", manifest, "--cache-root", _workspace["big"], "--map", _workspace.Map).ExitCode);
        using var process = BuilderProcess.Start("stage", Directory.GetDirectories(_workspace["big/versions"])[0], Staged, "--threads", "1", "--termination-log", _workspace["report"]);
        process.Until(() => Directory.Exists(Staged) && Directory.EnumerateFiles(Staged, "*.npy").Any());
        process.Terminate();
        var (code, _, _) = process.Wait();
        Assert.True(code is 75 or 0, $"{code}");
        Assert.Equal(code == 0, File.Exists(Path.Combine(Staged, CacheLayout.Manifest)));
    }

    private int FileCount => Directory.GetFiles(_version).Length - 1;

    private (int ExitCode, string Output, string Errors) Stage(params string[] more) =>
        BuilderProcess.Run(["stage", _version, Staged, "--termination-log", _workspace["report"], .. more]);

    private void AssertCopied(int files)
    {
        var (code, output, errors) = Stage("-o", "json");
        Assert.True(code == 0, errors);
        Assert.Equal(files, JsonDocument.Parse(output).RootElement.GetProperty("copied").GetInt32());
    }

    private void AssertWhole()
    {
        Assert.Equal(Names(_version), Names(Staged));
        Assert.All(Names(_version), name => Assert.True(File.ReadAllBytes(Path.Combine(_version, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(Staged, name))), name));
    }

    private static IReadOnlyList<string> Names(string directory) => [.. Directory.EnumerateFiles(directory).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    private static void Damage(string path)
    {
        using var file = File.OpenWrite(path);
        file.Seek(-1, SeekOrigin.End);
        file.WriteByte(0x5a);
    }
}
