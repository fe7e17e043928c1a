using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace IndexOperator.Runtime;

/// <summary>
/// A stream of JSON values, one a line, as the API server writes watches. Each is handed out when its line has ended.
/// JsonSerializer.DeserializeAsyncEnumerable would keep back a value that came in several reads until bytes of the next one arrive:
/// on a quiet watch, minutes later.
/// </summary>
internal static class JsonLines
{
    private const int BufferSize = 16 * 1024;

    /// <summary>Reads values until the stream ends; half a value at its end is a <see cref="JsonException"/>.</summary>
    public static async IAsyncEnumerable<T> ReadAsync<T>(Stream stream, JsonTypeInfo<T> info, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferSize, leaveOpen: true));
        try
        {
            var searched = 0L;
            while (true)
            {
                var result = await reader.ReadAsync(cancellationToken);
                var rest = result.Buffer;
                while (EndOfLine(rest, searched) is { } end)
                {
                    if (Parse(rest.Slice(0, end), info) is { } value)
                    {
                        yield return value;
                    }

                    rest = rest.Slice(rest.GetPosition(1, end));
                    searched = 0;
                }

                // A long line is not searched again from its start with every read.
                searched = rest.Length;
                if (result.IsCompleted)
                {
                    if (Parse(rest, info) is { } last)
                    {
                        yield return last;
                    }

                    yield break;
                }

                reader.AdvanceTo(rest.Start, rest.End);
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    private static SequencePosition? EndOfLine(ReadOnlySequence<byte> buffer, long from) => buffer.Slice(from).PositionOf((byte)'\n');

    private static T? Parse<T>(ReadOnlySequence<byte> line, JsonTypeInfo<T> info)
        where T : class
    {
        if (IsBlank(line))
        {
            return null;
        }

        var json = new Utf8JsonReader(line, isFinalBlock: true, default);
        var value = JsonSerializer.Deserialize(ref json, info);
        return IsBlank(line.Slice(json.Position)) ? value : throw new JsonException("a line holds more than one value");
    }

    private static bool IsBlank(ReadOnlySequence<byte> line)
    {
        foreach (var part in line)
        {
            if (part.Span.ContainsAnyExcept(" \t\r"u8))
            {
                return false;
            }
        }

        return true;
    }
}
