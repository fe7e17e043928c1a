namespace IndexOperator.Indexing.Tests.Fuzzing;

/// <summary>Reads an <c>.idx</c> in the plainest way and says whether it is sound; the judge of what the engine accepts.</summary>
internal static class NaiveIdx
{
    public static bool IsSound(byte[] file, long binBytes, IndexedDataset accepted)
    {
        using var reader = new BinaryReader(new MemoryStream(file));
        if (!reader.ReadBytes(9).SequenceEqual("MMIDIDX\0\0"u8.ToArray()) || reader.ReadInt64() != 1)
        {
            return false;
        }

        var code = reader.ReadByte();
        var (sequences, documents) = (reader.ReadInt64(), reader.ReadInt64());
        var lengths = Enumerable.Range(0, (int)sequences).Select(_ => reader.ReadInt32()).ToArray();
        var pointers = Enumerable.Range(0, (int)sequences).Select(_ => reader.ReadInt64()).ToArray();
        var boundaries = Enumerable.Range(0, (int)documents).Select(_ => reader.ReadInt64()).ToArray();
        var left = file.Length - reader.BaseStream.Position;
        var itemSize = new[] { 0, 1, 1, 2, 4, 8, 8, 4, 2 }[code];
        var next = 0L;
        for (var i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] < 0 || pointers[i] != next)
            {
                return false;
            }

            next += (long)lengths[i] * itemSize;
        }

        return (left == 0 || left == sequences)
            && next <= binBytes
            && boundaries[0] == 0 && boundaries[^1] == sequences && boundaries.Zip(boundaries.Skip(1)).All(pair => pair.First <= pair.Second)
            && accepted.SequenceLengths.SequenceEqual(lengths)
            && accepted.DocumentCount == documents
            && accepted.Tokens == lengths.Sum(length => (long)length)
            && accepted.LongestSequence == lengths.DefaultIfEmpty().Max()
            && accepted.TokenType.ItemSize == itemSize
            && accepted.IdxSha256 == Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file));
    }
}
