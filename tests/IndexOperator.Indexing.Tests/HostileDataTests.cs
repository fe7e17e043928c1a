using System.Buffers.Binary;

namespace IndexOperator.Indexing.Tests;

public sealed class HostileDataTests
{
    // Two sequences of 3 and 5 uint16 tokens, a document each: lengths at 34, pointers at 42, documents at 58, 82 bytes.
    public static TheoryData<string, Action<byte[]>> Damages => new()
    {
        { "MMIDIDX", bytes => bytes[0] = (byte)'X' },
        { "format version", bytes => bytes[9] = 2 },
        { "token type", bytes => bytes[17] = 9 },
        { "token type", bytes => bytes[17] = 0 },
        { "header counts", bytes => bytes[18] = 3 },
        { "header counts", bytes => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(18), ulong.MaxValue) },
        { "header counts", bytes => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(18), 1UL << 61) },
        { "header counts", bytes => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(26), 0) },
        { "header counts", bytes => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(26), 1UL << 60) },
        { "length -1", bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(34), -1) },
        { "pointer", bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(50), -6) },
        { "pointer", bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(42), 2) },
        { ".bin", bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(38), int.MaxValue) },
        { "boundary 0", bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(58), 1) },
        { "boundary 1", bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(66), -1) },
        { "boundary 1", bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(66), long.MaxValue) },
        { "last document", bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(74), 1) },
    };

    [Theory]
    [MemberData(nameof(Damages), DisableDiscoveryEnumeration = true)]
    public void A_damaged_idx_is_refused_with_its_fault(string fault, Action<byte[]> damage)
    {
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], 3, 5);
        var bytes = File.ReadAllBytes(prefix + ".idx");
        damage(bytes);
        File.WriteAllBytes(prefix + ".idx", bytes);

        var failure = Assert.Throws<IndexingException>(() => TestData.Read("/data/d", prefix));

        Assert.Equal(FailureReason.DataCorrupt, failure.Reason);
        Assert.Contains(fault, failure.Message, StringComparison.Ordinal);
        Assert.Equal(failure.Message, Assert.Throws<IndexingException>(() => TestData.ReadWithoutLengths("/data/d", prefix)).Message);
    }

    [Fact]
    public void A_wrong_number_anywhere_among_many_is_named_whether_lengths_are_kept_or_not()
    {
        const int Sequences = 21;
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], TestData.Lengths(Sequences));
        var bytes = File.ReadAllBytes(prefix + ".idx");
        for (var number = 0; number < (2 * Sequences) + 1; number++)
        {
            var at = IdxHeader.Size + (4 * Sequences) + (8 * number);
            foreach (var (place, mask) in new[] { (0, 0x01), (1, 0x10), (7, 0x80) })
            {
                bytes[at + place] ^= (byte)mask;
                File.WriteAllBytes(prefix + ".idx", bytes);
                bytes[at + place] ^= (byte)mask;

                // Boundaries are 0, 1, 2, and so on: one that is the same as its neighbour is sound, but for the first and the last.
                var isSound = number > Sequences && number < 2 * Sequences && mask == 0x01;
                var failure = Record.Exception(() => TestData.Read("d", prefix));
                var other = Record.Exception(() => TestData.ReadWithoutLengths("d", prefix));
                Assert.Equal(failure?.Message, other?.Message);
                Assert.Equal(isSound, failure is null);
                var words = (number, mask) switch
                {
                    ( < Sequences, _) => $"sequence {number} should begin",
                    (2 * Sequences, 0x01) => "last document",
                    _ => $"boundary {number - Sequences} is",
                };
                Assert.Contains(isSound ? "" : words, failure?.Message ?? "", StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Lengths_that_are_not_kept_give_the_same_checksum_counts_and_tokens()
    {
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], TestData.Lengths(100));
        var kept = TestData.Read("d", prefix);
        var read = TestData.ReadWithoutLengths("d", prefix);
        Assert.Empty(read.SequenceLengths);
        Assert.Equal(ManifestData.Of(kept), ManifestData.Of(read));
        Assert.Equal((kept.LongestSequence, kept.TokensIn(7, 99), kept.IdxSha256), (read.LongestSequence, read.TokensIn(7, 99), read.IdxSha256));
    }

    [Fact]
    public void An_idx_cut_at_any_byte_is_refused()
    {
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], 3, 5);
        var bytes = File.ReadAllBytes(prefix + ".idx");
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(prefix + ".idx", bytes[..length]);
            Assert.Equal(FailureReason.DataCorrupt, Assert.Throws<IndexingException>(() => TestData.Read("/data/d", prefix)).Reason);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    public void A_bin_shorter_than_its_idx_says_is_refused(int bytes)
    {
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], 3, 5);
        File.WriteAllBytes(prefix + ".bin", new byte[bytes]);
        Assert.Equal(FailureReason.DataCorrupt, Assert.Throws<IndexingException>(() => TestData.Read("/data/d", prefix)).Reason);
    }

    [Theory]
    [InlineData(".idx")]
    [InlineData(".bin")]
    public void A_missing_file_is_named(string extension)
    {
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], 3, 5);
        File.Delete(prefix + extension);

        var failure = Assert.Throws<IndexingException>(() => TestData.Read("/data/d", prefix));

        Assert.Equal(FailureReason.DataMissing, failure.Reason);
        Assert.Contains(prefix + extension, failure.Message, StringComparison.Ordinal);
        Assert.Contains("/data/d", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".idx")]
    [InlineData(".bin")]
    public void A_pipe_or_directory_in_a_files_place_is_refused_and_never_waited_for(string extension)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has mkfifo here.");
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], 3, 5);
        File.Delete(prefix + extension);
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [prefix + extension]))
        {
            mkfifo.WaitForExit();
        }

        Refused();
        File.Delete(prefix + extension);
        Directory.CreateDirectory(prefix + extension);
        Refused();

        void Refused()
        {
            var failure = Assert.Throws<IndexingException>(() => TestData.Read("/data/d", prefix));
            Assert.Equal(FailureReason.DataCorrupt, failure.Reason);
            Assert.Contains(prefix + extension, failure.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void An_idx_that_shrinks_or_changes_while_it_is_read_is_refused(int kind)
    {
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], TestData.Lengths(400_000));
        var isTouched = false;
        var failure = Assert.Throws<IndexingException>(() => IndexedDatasetReader.Read("/data/d", prefix, read =>
        {
            // In the middle of the file: the header and the first lengths are read already.
            if (isTouched || read < 1 << 20)
            {
                return;
            }

            isTouched = true;
            using var file = new FileStream(prefix + ".idx", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            if (kind == 1)
            {
                file.SetLength(file.Length / 2);
            }
            else if (kind == 2)
            {
                file.SetLength(file.Length + 8);
            }
            else
            {
                file.Seek(-1, SeekOrigin.End);
                file.WriteByte(0);
            }
        }, TestContext.Current.CancellationToken));
        Assert.True(isTouched);
        Assert.Equal(FailureReason.DataCorrupt, failure.Reason);
        Assert.Contains(prefix + ".idx", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Modes_of_multimodal_data_are_recognised_by_the_size_of_the_file()
    {
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], 3, 5);
        File.AppendAllBytes(prefix + ".idx", [0, 1]);

        var dataset = TestData.Read("/data/d", prefix);

        Assert.True(dataset.IsMultimodal);
        Assert.Equal(8, dataset.Tokens);
    }

    [Fact]
    public void Samples_beyond_reach_are_refused_before_anything_is_allocated()
    {
        using var directory = new TemporaryDirectory();
        var request = TestData.Single(TestData.Write(directory["d"], 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), samples: 1L << 53);

        var failure = Assert.Throws<IndexingException>(() => IndexPlanner.Create(request, TestData.Load(request)));

        Assert.Equal(FailureReason.InvalidSpec, failure.Reason);
    }

    [Fact]
    public void A_blend_that_draws_more_than_is_built_is_refused_before_anything_is_written()
    {
        using var directory = new TemporaryDirectory();
        var entries = Enumerable.Range(0, 40).Select(i => new BlendEntry(TestData.Write(directory[$"d{i}"], [.. Enumerable.Repeat(17, 30)]), i == 0 ? 1000 : 0.9)).ToList();
        var request = TestData.Single(directory["d0"]) with { Blend = entries, Split = "1,0,0", Samples = new(120, 0, 0), MidLevelDatasetSurplus = 0 };

        var failure = Record.Exception(() => BareOutput.Write(LocalFileSystem.Instance, directory["cache"], request, prefix => prefix, new BuildOptions()));

        Assert.Equal(FailureReason.OversampledBlend, Assert.IsType<IndexingException>(failure).Reason);
        Assert.Empty(directory.FilesUnder("cache"));
    }
}
