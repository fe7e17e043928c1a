namespace IndexOperator.Indexing.Tests;

public sealed class BlockChecksumsTests
{
    private static readonly int[] Edges = [0, 1, 63, 64, 65, 127, 4095, 4096, 4097, 65_536];

    [Fact]
    public void A_file_has_the_same_checksums_as_a_whole_and_in_pieces()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        foreach (var length in Edges.Concat(Enumerable.Range(0, 200).Select(_ => random.Next(20_000))))
        {
            var file = new byte[length];
            random.NextBytes(file);
            var pieces = new BlockChecksums(length);
            for (var done = 0; done < length;)
            {
                var piece = random.Next(1, 1 + Math.Min(5000, length - done));
                pieces.Append(file.AsSpan(done, piece));
                done += piece;
            }

            Assert.True(pieces.Finish() == BlockChecksums.Of(file), $"seed {seed}, {length} bytes");
        }
    }
}
