using System.Diagnostics;

namespace IndexOperator.Builder.Tests;

/// <summary>Real file systems that are full, read-only or somebody else's, under the real program.</summary>
public sealed class StorageTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly List<string> _mounts = [];

    public StorageTests() => _workspace.WriteHoles("big", 20_000);

    public void Dispose()
    {
        foreach (var mount in _mounts)
        {
            Run("umount", mount);
        }

        _workspace.Dispose();
    }

    [Fact]
    public void A_file_system_too_small_is_told_before_anything_is_written()
    {
        var cache = Tmpfs("1m");

        var (code, _, errors) = Build(cache);

        Assert.Equal(4, code);
        Assert.Contains("OutOfSpace", errors, StringComparison.Ordinal);
        Assert.Contains("needs", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(cache, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_RAM_disk_too_small_for_staging_is_told_with_the_annotation_that_sets_it_and_stays_empty()
    {
        Assert.Equal(0, Build(_workspace.Cache).ExitCode);
        var disk = Tmpfs("256k");

        var (code, _, errors) = BuilderProcess.Run("stage", _workspace.Versions[0], disk);

        Assert.Equal(4, code);
        Assert.Contains("OutOfSpace", errors, StringComparison.Ordinal);
        Assert.Matches("indexoperator.io/staging-size sets the size: at least [0-9]+Mi", errors);
        Assert.Empty(Directory.EnumerateFileSystemEntries(disk));

        Assert.Equal(0, Run("mount", "-o", "remount,size=64m", disk));
        Assert.Equal(0, BuilderProcess.Run("stage", _workspace.Versions[0], disk).ExitCode);
        Assert.Equal(0, BuilderProcess.Run("verify", disk).ExitCode);
    }

    [Fact]
    public void A_read_only_file_system_is_told_by_name()
    {
        var cache = Tmpfs("64m");
        Assert.Equal(0, Run("mount", "-o", "remount,ro", cache));

        var (code, _, errors) = Build(cache);

        Assert.Equal(4, code);
        Assert.Contains("ReadOnlyCache", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(cache));
    }

    [Fact]
    public void A_cache_that_belongs_to_somebody_else_is_told_by_name()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv"), "Only root with setpriv can become another user.");
        var cache = Directory.CreateDirectory(_workspace["cache"]).FullName;
        Assert.Equal(0, Run("chmod", "-R", "a+rX", _workspace.Path));
        Assert.Equal(0, Run("chmod", "0755", cache));
        var manifest = Manifest();
        Assert.Equal(0, Run("chmod", "a+r", manifest));
        string[] user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
        Assert.SkipUnless(
            Run("setpriv", [.. user, "test", "-r", Path.Combine(AppContext.BaseDirectory, "index-builder.dll")]) == 0,
            "Another user cannot read this checkout, and so not run the program.");

        using var process = Process.Start(new ProcessStartInfo("setpriv", [.. user, "dotnet", Path.Combine(AppContext.BaseDirectory, "index-builder.dll"), .. Arguments(manifest, cache)])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { ["HOME"] = Path.GetTempPath() },
        })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();

        Assert.Equal(4, process.ExitCode);
        Assert.Contains("PermissionDenied", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(cache));
    }

    private (int ExitCode, string Output, string Errors) Build(string cache) => BuilderProcess.Run(Arguments(Manifest(), cache));

    private string Manifest() => _workspace.WriteManifest("[{prefix: /data/big}]", "samples: {train: 200000}");

    private string[] Arguments(string manifest, string cache) => ["build", "-f", manifest, "--cache-root", cache, "--map", _workspace.Map, "--build-id", "job"];

    private string Tmpfs(string size)
    {
        var path = Directory.CreateDirectory(_workspace["tmpfs"]).FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", path) == 0, "This user may not mount a tmpfs.");
        _mounts.Add(path);
        return path;
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        _ = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}
