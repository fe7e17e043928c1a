using System.Diagnostics;
using System.Text.Json;
using IndexOperator.Indexing;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Builder.Tests;

/// <summary>The init container that waits: the kubelet's swaps, signals, time.</summary>
public sealed class WaitTests : IDisposable
{
    private const string Version = "5f0c0e6d0b1a2c3d4e5f";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Workspace _workspace = new();
    private readonly FakeTimeProvider _time = new();
    private readonly List<WaitNotice> _notices = [];
    private int _swaps;

    private string File => _workspace["annotations/annotations"];

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task The_version_is_found_within_a_second_of_the_kubelets_swap()
    {
        Swap(("indexoperator.io/injected", "InitContainer"));
        var wait = Wait();
        Assert.False(wait.IsCompleted);
        Swap(("indexoperator.io/injected", "InitContainer"), ("indexoperator.io/version", Version));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Version, await wait.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_version_that_is_there_already_is_found_at_once()
    {
        Swap(("indexoperator.io/version", Version));
        Assert.Equal(Version, await Wait().WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Empty(_notices);
    }

    [Fact]
    public async Task It_tells_every_30_seconds_that_it_waits_and_for_what()
    {
        Swap(("indexoperator.io/data-version", "2026-11-20"));
        System.IO.File.WriteAllText(_workspace["annotations/labels"], "app=\"x\"\nindexoperator.io/index=\"web-mix\"");
        var wait = Wait();
        for (var told = 2; told <= 4; told++)
        {
            _time.Advance(TimeSpan.FromSeconds(29));
            _time.Advance(TimeSpan.FromSeconds(1));
            await TestSupport.Wait.Until("the next notice", () => _notices.Count == told, Patience);
        }

        Assert.Equal([0, 30, 60, 90], _notices.Select(notice => (int)notice.Waited.TotalSeconds));
        Assert.All(_notices, notice => Assert.Equal(("web-mix", "2026-11-20"), (notice.Index, notice.DataVersion)));
        Assert.Contains("waiting for index web-mix of data version 2026-11-20 since 30 s", _notices[1].Describe(), StringComparison.Ordinal);
        Swap(("indexoperator.io/version", Version));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Version, await wait.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_file_that_is_not_there_yet_is_waited_for()
    {
        var wait = Wait();
        Assert.Contains("is not there yet", Assert.Single(_notices).Describe(), StringComparison.Ordinal);
        Swap(("indexoperator.io/version", Version));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Version, await wait.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("5F0C0E6D0B1A2C3D4E5F")]
    [InlineData("../../other")]
    [InlineData("5f0c0e6d0b1a2c3d4e5f\n")]
    [InlineData("\u001b[2Jfull of letters that a terminal would obey, and much longer than any version that was ever written")]
    public async Task What_is_no_version_is_never_taken_for_one_and_is_told(string value)
    {
        Swap(("indexoperator.io/version", value));
        using var stop = new CancellationTokenSource();
        var wait = StoppableWait(TimeSpan.Zero, stop.Token);
        _time.Advance(VersionWait.NoticeInterval);
        await TestSupport.Wait.Until("another look", () => _notices.Count == 2, Patience);
        Assert.False(wait.IsCompleted);
        var told = _notices[1].Describe();
        Assert.Contains("which is no version", told, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', told);
        Assert.True(told.Length < 400, told);
        await stop.CancelAsync();
        Assert.Equal(FailureReason.Interrupted, (await Assert.ThrowsAsync<IndexingException>(() => wait)).Reason);
    }

    [Fact]
    public async Task The_time_given_ends_the_wait_and_says_for_what_it_was()
    {
        Swap();
        var wait = Wait(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(11));
        var failure = await Assert.ThrowsAsync<IndexingException>(() => wait.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(FailureReason.Timeout, failure.Reason);
        Assert.Contains("indexoperator.io/version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_program_prints_the_version_after_a_swap()
    {
        Swap();
        using var process = BuilderProcess.Start("wait", "--annotations", File, "-o", "json", "--termination-log", _workspace["report"]);
        await Task.Run(() => process.UntilError("waiting for index"), TestContext.Current.CancellationToken);
        var watch = Stopwatch.StartNew();
        Swap(("indexoperator.io/version", Version));
        var (code, output, errors) = process.Wait();
        Assert.True(code == 0, errors);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"It took {watch.Elapsed} to see the change.");
        Assert.Equal(Version, JsonDocument.Parse(output).RootElement.GetProperty("version").GetString());
        Assert.False(System.IO.File.Exists(_workspace["report"]));
    }

    [Fact]
    public async Task A_terminated_wait_ends_at_once_with_code_75()
    {
        Swap();
        using var process = BuilderProcess.Start("wait", "--annotations", File, "-o", "text", "--termination-log", _workspace["report"]);
        await Task.Run(() => process.UntilError("waiting for index"), TestContext.Current.CancellationToken);
        var watch = Stopwatch.StartNew();
        process.Terminate();
        var (code, output, errors) = process.Wait();
        Assert.Equal((75, ""), (code, output));
        Assert.Contains("Interrupted", errors, StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"It took {watch.Elapsed} to end.");
        Assert.Contains("Interrupted", System.IO.File.ReadAllText(_workspace["report"]), StringComparison.Ordinal);
    }

    [Fact]
    public void In_a_pod_every_word_is_a_line_of_JSON()
    {
        Swap(("indexoperator.io/version", Version));
        var (code, output, _) = BuilderProcess.Run("wait", "--annotations", File);
        Assert.Equal(0, code);
        var line = JsonDocument.Parse(Assert.Single(output.Trim().Split('\n'))).RootElement;
        Assert.Equal(("finished", Version), (line.GetProperty("event").GetString(), line.GetProperty("version").GetString()));
    }

    private Task<string> Wait(TimeSpan timeout = default) => StoppableWait(timeout, TestContext.Current.CancellationToken);

    private Task<string> StoppableWait(TimeSpan timeout, CancellationToken cancellation) =>
        new VersionWait(_time, File, _notices.Add).ForVersionAsync(timeout, cancellation);

    /// <summary>
    /// As the kubelet does (<c>AtomicWriter</c>): a directory of a new name, a link <c>..data</c> renamed over the old one, and
    /// the file itself a link through it.
    /// </summary>
    private void Swap(params (string Key, string Value)[] annotations)
    {
        var directory = Directory.CreateDirectory(_workspace["annotations"]).FullName;
        var timed = Directory.CreateDirectory(Path.Combine(directory, $"..2026_11_26_{++_swaps}")).FullName;
        System.IO.File.WriteAllText(Path.Combine(timed, "annotations"), string.Join('\n', annotations.Select(annotation => $"{annotation.Key}={Quote(annotation.Value)}")));
        var next = Path.Combine(directory, "..data_tmp");
        Directory.CreateSymbolicLink(next, Path.GetFileName(timed));
        Assert.True(LocalFileSystem.Instance.TryRenameDirectory(next, Path.Combine(directory, "..data")));
        if (!Path.Exists(File))
        {
            System.IO.File.CreateSymbolicLink(File, "..data/annotations");
        }
    }

    private static string Quote(string value) => "\"" + value.Replace("\n", "\\n", StringComparison.Ordinal).Replace("\u001b", "\\x1b", StringComparison.Ordinal) + "\"";
}
