using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class EventRecorderTests : IAsyncLifetime
{
    private const string Events = "apis/events.k8s.io/v1/events";
    private static readonly V1ConfigMap Map = new() { Metadata = new V1ObjectMeta { Name = "one", NamespaceProperty = "a", Uid = "u" } };

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly CancellationTokenSource _stop = new();
    private FaultyApiServer _server = null!;
    private ApiClient _client = null!;
    private Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _client = _server.Client(_time);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Eventually.TrueAsync("the recorder to end", _time, TimeSpan.FromSeconds(1), () => _running.IsCompleted);
        _client.Dispose();
        _stop.Dispose();
        await _server.DisposeAsync();
    }

    private EventRecorder Recorder(EventRecorderOptions? options = null) => new(_client, options, _time);

    private static void Say(EventRecorder recorder, string note) =>
        recorder.Record(KnownResources.ConfigMaps, Map, EventKind.Warning, "BuildFailed", "Build", note);

    [Fact]
    public async Task An_event_says_who_reports_what_of_which_object()
    {
        var recorder = Recorder();
        _running = recorder.RunAsync(_stop.Token);
        Say(recorder, "disk full");
        await Eventually.TrueAsync("the event", () => _server.All(Events).Count == 1);
        var written = _server.All(Events)[0];
        Assert.Equal("Warning BuildFailed Build disk full", $"{written["type"]} {written["reason"]} {written["action"]} {written["note"]}");
        Assert.Equal("ConfigMap a/one u", $"{written["regarding"]!["kind"]} {written["regarding"]!["namespace"]}/{written["regarding"]!["name"]} {written["regarding"]!["uid"]}");
        Assert.Equal("2026-01-01T00:00:00.000000Z", written["eventTime"]!.GetValue<string>());
        Assert.StartsWith("one.", written["metadata"]!["name"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Repetitions_become_one_event_with_a_count()
    {
        var recorder = Recorder();
        _running = recorder.RunAsync(_stop.Token);
        for (var i = 0; i < 10; i++)
        {
            Say(recorder, "disk full");
        }

        await Eventually.TrueAsync("the first count", () => Count() == 2);
        await Eventually.TrueAsync("the later count, without another event", _time, TimeSpan.FromSeconds(5), () => Count() == 10);
        Say(recorder, "disk full");
        await _stop.CancelAsync();
        await Eventually.CompletesAsync("the recorder to end", _running);
        Assert.Equal(11, Count());
        Assert.Single(_server.All(Events));
        Assert.Equal(4, _server.Requests.Count);

        int? Count() => (_server.All(Events) is [var only, ..] ? only : null)?["series"]?["count"]?.GetValue<int>();
    }

    [Fact]
    public async Task Recording_never_waits_and_drops_what_does_not_fit()
    {
        var recorder = Recorder(new EventRecorderOptions { Capacity = 2 });
        for (var i = 0; i < 100; i++)
        {
            Say(recorder, $"note {i}");
        }

        _running = recorder.RunAsync(_stop.Token);
        await Eventually.TrueAsync("what fitted", () => _server.All(Events).Count == 2);
    }

    [Fact]
    public async Task A_refused_event_does_not_end_the_recorder()
    {
        _server.Fault(_ => true, c => FaultyApiServer.StatusAsync(c, 403, "Forbidden"));
        var recorder = Recorder();
        _running = recorder.RunAsync(_stop.Token);
        Say(recorder, "first");
        Say(recorder, "second");
        await Eventually.TrueAsync("the second event", () => _server.All(Events).Count == 1);
        Assert.Equal("second", _server.All(Events)[0]["note"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_waits_is_written_before_the_end()
    {
        var recorder = Recorder();
        Say(recorder, "last words");
        await _stop.CancelAsync();
        await Eventually.CompletesAsync("the recorder to end", recorder.RunAsync(_stop.Token));
        Assert.Single(_server.All(Events));
    }

    [Fact]
    public async Task A_long_note_is_cut_to_what_the_server_takes()
    {
        var recorder = Recorder();
        _running = recorder.RunAsync(_stop.Token);
        Say(recorder, new string('ü', 2000));
        await Eventually.TrueAsync("the event", () => _server.All(Events).Count == 1);
        var note = _server.All(Events)[0]["note"]!.GetValue<string>();
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(note), 900, 1024);
        Assert.EndsWith("...", note, StringComparison.Ordinal);
    }
}
