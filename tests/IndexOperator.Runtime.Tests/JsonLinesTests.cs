using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using k8s.Models;

namespace IndexOperator.Runtime.Tests;

/// <summary>A watch hands out what has arrived, however the network cut it.</summary>
public sealed class JsonLinesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(100, 1)]
    [InlineData(10_000, 1000)]
    [InlineData(300_000, 1000)]
    [InlineData(300_000, 16 * 1024)]
    [InlineData(2_000_000, 64 * 1024)]
    public async Task An_event_is_handed_out_when_its_last_byte_is_there_and_not_when_the_next_begins(int size, int read)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await using var events = JsonLines.ReadAsync(pipe.Reader.AsStream(), KnownResources.ConfigMaps.WatchEvent, Cancel).GetAsyncEnumerator(Cancel);
        for (var i = 0; i < 3; i++)
        {
            var next = events.MoveNextAsync().AsTask();
            var line = Event($"map-{i}", size);
            for (var at = 0; at < line.Length; at += read)
            {
                Assert.False(next.IsCompleted);
                await pipe.Writer.WriteAsync(line.AsMemory(at, Math.Min(read, line.Length - at)), Cancel);
            }

            Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
            Assert.Equal($"map-{i}", events.Current.Entity!.Metadata.Name);
            Assert.Equal(size, events.Current.Entity.Data["x"].Length);
        }
    }

    [Fact]
    public async Task Several_events_in_one_read_and_a_last_one_without_an_end_of_line_all_arrive()
    {
        var text = Encoding.UTF8.GetString(Event("a", 10)) + "\r\n\n" + Encoding.UTF8.GetString(Event("b", 10)) + Encoding.UTF8.GetString(Event("c", 10)).TrimEnd();
        Assert.Equal(["a", "b", "c"], (await AllAsync(text)).Select(seen => seen.Entity!.Metadata.Name));
    }

    [Theory]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{}} {\"type\":\"ADDED\",\"object\":{}}\n")]
    [InlineData("no JSON\n")]
    public async Task What_is_no_event_ends_the_watch(string text) =>
        await Assert.ThrowsAnyAsync<JsonException>(() => AllAsync(text));

    private static byte[] Event(string name, int size) =>
        Encoding.UTF8.GetBytes(
            """{"type":"ADDED","object":{"kind":"ConfigMap","metadata":{"name":"NAME","resourceVersion":"7"},"data":{"x":"VALUE"}}}"""
                .Replace("NAME", name, StringComparison.Ordinal)
                .Replace("VALUE", new string('x', size), StringComparison.Ordinal) + "\n");

    private static async Task<List<WatchEvent<V1ConfigMap>>> AllAsync(string text)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var all = new List<WatchEvent<V1ConfigMap>>();
        await foreach (var seen in JsonLines.ReadAsync(stream, KnownResources.ConfigMaps.WatchEvent, Cancel))
        {
            all.Add(seen);
        }

        return all;
    }
}
