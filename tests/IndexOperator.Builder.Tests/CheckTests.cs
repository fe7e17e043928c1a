using IndexOperator.Api;

namespace IndexOperator.Builder.Tests;

/// <summary>What <c>check</c> finds of a published version and its data, and what <c>build --repair</c> makes of a damaged one.</summary>
public sealed class CheckTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _manifest;
    private readonly string _version;

    public CheckTests()
    {
        _workspace.WriteText("a", 500);
        File.SetLastWriteTimeUtc(_workspace["corpus/a.idx"], DateTime.UtcNow.AddHours(-1));
        _manifest = _workspace.WriteManifest("[{prefix: /data/a}]");
        Assert.Equal(0, Build().ExitCode);
        _version = Path.GetFileName(Assert.Single(_workspace.Versions));
    }

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Data_that_nobody_wrote_to_is_told_by_its_stamp_without_being_read()
    {
        var first = Check();
        Assert.Equal((BuildReport.Checked, BuildReport.Unchanged, BuildReport.Complete, true), (first.Outcome, first.Data, first.Integrity, first.ContentRead));
        var second = Check("--stamp", first.Stamp!);
        Assert.Equal((BuildReport.Unchanged, false, first.Fingerprint), (second.Data, second.ContentRead, second.Fingerprint));
        Assert.True(Check("--stamp", first.Stamp!, "--content").ContentRead);
    }

    [Fact]
    public void The_stamp_of_a_build_is_that_of_a_check_after_it() => Assert.Equal(Report(Build()).Stamp, Check().Stamp);

    [Fact]
    public void A_touched_file_with_the_same_bytes_is_no_change()
    {
        var before = Check();
        File.SetLastWriteTimeUtc(_workspace["corpus/a.idx"], DateTime.UtcNow.AddMinutes(-10));
        var after = Check("--stamp", before.Stamp!);
        Assert.Equal((BuildReport.Unchanged, true), (after.Data, after.ContentRead));
        Assert.NotEqual(before.Stamp, after.Stamp);
    }

    [Fact]
    public void A_version_can_be_looked_at_though_its_data_is_gone()
    {
        File.Delete(_workspace["corpus/a.idx"]);
        var found = Check("--skip-data", "--checksums");
        Assert.Equal((BuildReport.Checked, null, BuildReport.Verified, null), (found.Outcome, found.Data, found.Integrity, found.Stamp));
    }

    [Fact]
    public void Changed_data_is_named_with_the_fingerprint_that_it_has_now()
    {
        _workspace.WriteText("a", 501);
        var found = Check();
        Assert.Equal(BuildReport.Changed, found.Data);
        Assert.Contains("/data/a.idx has", found.Message, StringComparison.Ordinal);
        Assert.Contains(found.Fingerprint!, BuilderProcess.Run("fingerprint", "-f", _manifest, "--map", _workspace.Map).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_content_of_the_same_size_is_found_though_the_time_was_set_back()
    {
        var stamp = Check().Stamp!;
        var time = File.GetLastWriteTimeUtc(_workspace["corpus/a.idx"]);
        using (var file = File.OpenWrite(_workspace["corpus/a.idx"]))
        {
            file.Seek(-1, SeekOrigin.End);
            file.WriteByte(1);
        }

        File.SetLastWriteTimeUtc(_workspace["corpus/a.idx"], time);
        Assert.Equal(BuildReport.Unchanged, Check("--stamp", stamp).Data);
        var found = Check("--stamp", stamp, "--content");
        Assert.Equal(BuildReport.Changed, found.Data);
        Assert.Contains("other content of the same size", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_changed_a_moment_ago_counts_as_being_written()
    {
        _workspace.WriteText("a", 501);
        Assert.Equal(BuildReport.BeingWritten, Check("--quiet", "1h").Data);
    }

    [Fact]
    public void A_version_with_a_changed_byte_is_damaged_only_to_whom_compares_checksums()
    {
        Damage();
        Assert.Equal(BuildReport.Complete, Check().Integrity);
        var found = Check("--checksums");
        Assert.Equal((BuildReport.Damaged, default(string)), (found.Integrity, found.Data));
        Assert.Contains("SHA-256", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_that_is_gone_or_cut_off_is_damaged_to_everybody()
    {
        var file = Directory.EnumerateFiles(_workspace.Versions[0], "*.npy").First();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^4]);
        Assert.Equal(BuildReport.Damaged, Check().Integrity);
        Directory.Delete(_workspace.Versions[0], recursive: true);
        Assert.Equal(BuildReport.Damaged, Check().Integrity);
    }

    [Fact]
    public void Data_that_is_gone_is_a_failure_with_its_reason()
    {
        File.Delete(_workspace["corpus/a.idx"]);
        Assert.Equal(3, Run([]).ExitCode);
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out var report));
        Assert.Equal((BuildReport.Failed, Reasons.DataMissing), (report.Outcome, report.Reason));
    }

    [Fact]
    public void A_damaged_version_stops_a_build_and_is_put_aside_by_a_repair()
    {
        Damage();
        Assert.Equal(5, Build().ExitCode);
        Assert.Equal(0, Build("--repair").ExitCode);
        var report = Report();
        Assert.Equal((BuildReport.Built, _version), (report.Outcome, report.Version));
        Assert.True(Directory.Exists(_workspace["cache/" + report.Quarantined]));
        Assert.Equal(BuildReport.Verified, Check("--checksums").Integrity);
    }

    [Fact]
    public void A_build_waits_until_its_data_has_stood_still()
    {
        _workspace.WriteText("a", 501);
        var (code, output, errors) = Build("--quiet", "8s"); // longer than the program can take to look
        Assert.True(code == 0, errors);
        Assert.Contains("AwaitData", output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_build_needs_is_told_before_it_takes_it()
    {
        _workspace.WriteHoles("large", 3_000_000);
        var manifest = _workspace.WriteManifest("[{prefix: /data/large}]", name: "large.yaml");
        using var process = BuilderProcess.Start("build", "-f", manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map, "--termination-log", _workspace["begun"]);
        process.Until(() => File.Exists(_workspace["begun"]) && new FileInfo(_workspace["begun"]).Length > 0);
        process.Kill();
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["begun"]), out var report));
        Assert.Equal(BuildReport.Begun, report.Outcome);
        Assert.True(report.PredictedMemoryBytes > 60 << 20);
    }

    [Fact]
    public void Versions_and_staging_of_one_owner_go_in_one_call()
    {
        Directory.CreateDirectory(_workspace["cache/.staging/owner.one"]);
        string[] prune = ["prune", "--cache-root", _workspace.Cache, "--discard-staging", "owner.", "--remove", _version, "-o", "json"];
        Assert.Equal(2, BuilderProcess.Run([.. prune, "--dry-run"]).ExitCode);
        Assert.Single(_workspace.Staging);

        var (code, output, errors) = BuilderProcess.Run(prune);
        Assert.True(code == 0, errors);
        Assert.Contains("owner.one", output, StringComparison.Ordinal);
        Assert.Empty(_workspace.Versions);
        Assert.Empty(_workspace.Staging);
    }

    private void Damage()
    {
        using var file = File.OpenWrite(Directory.EnumerateFiles(_workspace.Versions[0], "*shuffle_index.npy").First());
        file.Seek(-1, SeekOrigin.End);
        file.WriteByte(0x5a);
    }

    private (int ExitCode, string Output, string Errors) Build(params string[] more) => BuilderProcess.Run(
        ["build", "-f", _manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map, "--termination-log", _workspace["report"], .. more]);

    private BuildReport Report((int ExitCode, string Output, string Errors) run = default)
    {
        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out var report));
        return report;
    }

    private BuildReport Check(params string[] more) => Report(Run(more));

    private (int ExitCode, string Output, string Errors) Run(string[] more) => BuilderProcess.Run(
        ["check", "-f", _manifest, "--cache-root", _workspace.Cache, "--version-name", _version, "--map", _workspace.Map, "--termination-log", _workspace["report"], .. more]);
}
