using System.Buffers.Binary;

namespace IndexOperator.Indexing.Tests;

public sealed class LargeIdxTests
{
    /// <summary>
    /// A file of more than 2^32 bytes, nearly all of them a hole: empty sequences, empty documents. What matters stands
    /// behind the hole, at an offset that no 32-bit number reaches and that is a multiple of two only.
    /// </summary>
    [Fact]
    public void An_idx_of_more_than_4_GB_is_read_to_its_last_byte()
    {
        const int Sequences = 20_000_001;
        const long Documents = 520_000_000;
        const long DocumentsAt = 34 + (12L * Sequences);
        const long Size = DocumentsAt + (8 * Documents);
        Assert.True(Size > uint.MaxValue && (34 + (4L * Sequences)) % 4 == 2);
        using var directory = new TemporaryDirectory();
        using (var idx = File.Create(directory["large.idx"]))
        {
            var header = new byte[34];
            "MMIDIDX\0\0"u8.CopyTo(header);
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(9), 1);
            header[17] = 8;
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(18), Sequences);
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(26), Documents);
            idx.Write(header);
            idx.SetLength(Size);

            // The last sequence has 7 tokens, the last document all sequences.
            Write(idx, DocumentsAt - (8L * Sequences) - 4, 7);
            Write(idx, Size - 8, Sequences);
        }

        File.WriteAllBytes(directory["large.bin"], new byte[14]);

        var dataset = TestData.Read("/data/large", directory["large"]);

        Assert.Equal((Documents, Size, 7L), (dataset.DocumentCount, dataset.Idx.Bytes, dataset.Tokens));
        Assert.Equal((Sequences, 7), (dataset.SequenceLengths.Length, dataset.SequenceLengths[^1]));
    }

    private static void Write(FileStream file, long at, int value)
    {
        file.Position = at;
        file.Write(BitConverter.GetBytes(value));
    }
}
