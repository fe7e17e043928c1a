using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary>Samples for people.</summary>
internal static class SampleText
{
    private const int EndOfDocument = 256;

    /// <summary>A sample and where its tokens come from, a line a sequence.</summary>
    public static string Describe(SampleResult result)
    {
        var trace = result.Trace;
        var culture = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.Append(culture, $"{trace.Split} sample {trace.Sample}: {trace.Tokens} tokens of {trace.Prefix}\n");
        if (trace.Blend is not null)
        {
            text.Append(culture, $"  dataset_index   {trace.Blend}[{trace.Sample}] = member {trace.Member}, its sample {trace.MemberSample}\n");
        }

        text.Append(culture, $"  shuffle_index   {trace.Dataset}[{trace.MemberSample}] = {trace.ShuffledSample}\n");
        foreach (var segment in trace.Segments)
        {
            text.Append(culture, $"  document_index  [{segment.Position}] = sequence {segment.Sequence}, tokens {segment.Offset} to {segment.Offset + segment.Length}\n");
        }

        return result.Text is null ? text.ToString() : text + "  ----\n" + result.Text + "\n  ----\n";
    }

    /// <summary>Tokens of a byte-level tokenizer as text; the end of a document is shown as such.</summary>
    public static string DecodeBytes((TokenType Type, byte[] Bytes) tokens)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        for (var at = 0; at < tokens.Bytes.Length; at += tokens.Type.ItemSize)
        {
            var token = Read(tokens.Type, tokens.Bytes.AsSpan(at));
            if (token is >= 0 and < EndOfDocument)
            {
                bytes.Add((byte)token);
                continue;
            }

            text.Append(Encoding.UTF8.GetString([.. bytes])).Append(token == EndOfDocument ? "<end of document>" : $"<{token}>");
            bytes.Clear();
        }

        return text.Append(Encoding.UTF8.GetString([.. bytes])).ToString();
    }

    private static long Read(TokenType type, ReadOnlySpan<byte> bytes) => type.Name switch
    {
        "uint8" => bytes[0],
        "int8" => (sbyte)bytes[0],
        "int16" => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        "uint16" => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        "int32" => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        "int64" => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        _ => throw new IndexingException(FailureReason.InvalidSpec, $"Tokens of type {type.Name} are no bytes. Leave --decode out."),
    };
}
