using System.Diagnostics;
using System.Globalization;

namespace IndexOperator.Indexing.Tests;

/// <summary>Every byte of a small cache is changed once, and every file is cut, grown, removed, swapped and replaced.</summary>
public sealed class DamageTests : IDisposable
{
    private static readonly BuildOptions OneThread = new() { Threads = 1 };
    private static readonly byte[] Masks = [0x01, 0x80, 0x55, 0xff];

    private readonly TemporaryDirectory _directory = new();

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1)]
    public void Every_changed_byte_of_a_version_is_found_with_its_file_and_place(long blocksFrom)
    {
        var options = OneThread with { VerifyBlocksFrom = blocksFrom };
        var version = Publish();
        var changed = 0;
        foreach (var file in Directory.GetFiles(version).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(file);
            var bytes = File.ReadAllBytes(file);
            for (var at = 0; at < bytes.Length; at++, changed++)
            {
                WithByte(file, at, bytes[at] ^ Masks[at % Masks.Length]);
                var message = Damage(() => VersionVerifier.Verify(version, options));
                WithByte(file, at, bytes[at]);
                Assert.Contains(name, message, StringComparison.Ordinal);
                if (name == CacheLayout.Manifest)
                {
                    continue;
                }

                var words = message.Split("bytes ")[1].Split(' ', ',', ':', '.');
                var (begin, end) = (int.Parse(words[0], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture));
                Assert.InRange(at, begin, end);
                Assert.True(end - begin < 128, $"{name} byte {at}: {message}");
            }
        }

        VersionVerifier.Verify(version, options);
        TestContext.Current.SendDiagnosticMessage($"{changed} changed bytes of a version, each found.");
        Assert.True(changed > 8000, $"Only {changed} bytes were changed.");
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1)]
    public void Every_cut_grown_removed_or_swapped_file_of_a_version_is_found(long blocksFrom)
    {
        var options = OneThread with { VerifyBlocksFrom = blocksFrom };
        var version = Publish();
        var files = Directory.GetFiles(version).Order(StringComparer.Ordinal).ToList();
        foreach (var file in files)
        {
            var bytes = File.ReadAllBytes(file);
            void Damaged(byte[]? content)
            {
                File.Delete(file);
                if (content is not null)
                {
                    File.WriteAllBytes(file, content);
                }

                Assert.Contains(Path.GetFileName(file), Damage(() => VersionVerifier.Verify(version, options)), StringComparison.Ordinal);
                File.WriteAllBytes(file, bytes);
            }

            Damaged(null);
            Damaged([]);
            Damaged(bytes[..^1]);
            Damaged(bytes[..(bytes.Length / 2)]);
            Damaged([.. bytes, 0]);
            Damaged(File.ReadAllBytes(files[(files.IndexOf(file) + 1) % files.Count]));
        }

        VersionVerifier.Verify(version, options);
    }

    [Theory]
    [InlineData(".hidden")]
    [InlineData("index-manifest.json.tmp")]
    [InlineData("0123456789abcdef0123456789abcdef-GPTDataset-train-shuffle_index.npy")]
    public void Every_extra_entry_of_a_version_is_found(string name)
    {
        var version = Publish();
        var path = Path.Combine(version, name);
        Action[] strays = [() => File.WriteAllText(path, ""), () => Directory.CreateDirectory(path), () => File.CreateSymbolicLink(path, "index-manifest.json"), () => Run("mkfifo", path)];
        foreach (var stray in strays)
        {
            stray();
            Assert.Contains($"it holds {name}", Damage(() => VersionVerifier.Verify(version, OneThread)), StringComparison.Ordinal);
            Run("rm", "-rf", path);
        }
    }

    [Fact]
    public void A_link_a_directory_or_a_pipe_in_the_place_of_a_file_is_found()
    {
        var version = Publish();
        foreach (var file in Directory.GetFiles(version))
        {
            var moved = _directory["moved"];
            File.Move(file, moved);
            Action[] impostors = [() => File.CreateSymbolicLink(file, moved), () => Directory.CreateDirectory(file), () => Run("mkfifo", file)];
            foreach (var impostor in impostors)
            {
                impostor();
                if (file.EndsWith(CacheLayout.Manifest, StringComparison.Ordinal) && new FileInfo(file).LinkTarget is not null)
                {
                    Assert.Contains("is a link", Damage(() => VersionVerifier.Verify(version, OneThread)), StringComparison.Ordinal);
                }

                Assert.Contains(Path.GetFileName(file), Damage(() => VersionVerifier.Verify(version, OneThread)), StringComparison.Ordinal);
                Run("rm", "-rf", file);
            }

            File.Move(moved, file);
        }
    }

    /// <summary>
    /// Without data, offsets of a sample index that other data would give cannot be told from right ones. They are the
    /// only bytes that pass, and with data none does.
    /// </summary>
    [Fact]
    public void Every_changed_byte_of_a_bare_directory_is_found_but_for_offsets_that_only_the_data_can_tell()
    {
        var cache = Build();
        var (changed, passed) = (0, 0);
        foreach (var file in Directory.GetFiles(cache).Order(StringComparer.Ordinal))
        {
            var bytes = File.ReadAllBytes(file);
            for (var at = 0; at < bytes.Length; at++, changed++)
            {
                WithByte(file, at, bytes[at] ^ Masks[at % Masks.Length]);
                if (IsFound(() => IndexDirectoryVerifier.Verify(cache, OneThread)) is not { } message)
                {
                    passed++;
                    Assert.EndsWith("sample_index.npy", file, StringComparison.Ordinal);
                    Assert.DoesNotContain("dataset_sample_index", file, StringComparison.Ordinal);
                    Assert.True(at >= NpyHeader.Size + 8, "Row 0 is always (0, 0).");
                }
                else
                {
                    Assert.Contains(Path.GetFileName(file)[..32], message, StringComparison.Ordinal);
                }

                Assert.Contains(Path.GetFileName(file)[..32], Damage(() => IndexDirectoryVerifier.Verify(cache, OneThread, Read)), StringComparison.Ordinal);
                WithByte(file, at, bytes[at]);
            }
        }

        IndexDirectoryVerifier.Verify(cache, OneThread, Read);
        TestContext.Current.SendDiagnosticMessage($"{changed} changed bytes of a bare directory, {passed} of them in token offsets that need the data.");
        Assert.InRange(passed, 1, changed / 20);
    }

    [Theory]
    [InlineData("document_index.npy", 7, "entry 7 is")]
    [InlineData("shuffle_index.npy", 5, "entry 5 is")]
    public void Two_swapped_entries_of_a_shuffle_are_found_with_the_first_of_them(string what, int entry, string words)
    {
        var file = Directory.GetFiles(Build(), "*-train-" + what).Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(file);
        var one = bytes.AsSpan(NpyHeader.Size + (4 * entry), 4);
        var other = bytes.AsSpan(NpyHeader.Size + (4 * (entry + 2)), 4);
        byte[] kept = [.. one];
        other.CopyTo(one);
        kept.CopyTo(other);
        File.WriteAllBytes(file, bytes);
        var message = Damage(() => IndexDirectoryVerifier.Verify(_directory["bare"], OneThread));
        Assert.Contains(Path.GetFileName(file), message, StringComparison.Ordinal);
        Assert.Contains(words, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_whose_data_changed_since_does_not_pass_with_the_data()
    {
        var cache = Build();
        TestData.Write(_directory["a"], [.. TestData.Lengths(30).Select(length => length + 1)]);
        Assert.Contains("does not belong to", Damage(() => IndexDirectoryVerifier.Verify(cache, OneThread, Read)), StringComparison.Ordinal);
        TestData.Write(_directory["a"], TestData.Lengths(31));
        Assert.Contains("does not belong to", Damage(() => IndexDirectoryVerifier.Verify(cache, OneThread, Read)), StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>A blend of two, one of them with many epochs and the last of these apart.</summary>
    private IndexRequest Request() => TestData.Single("") with
    {
        Blend = [new BlendEntry(TestData.Write(_directory["a"], TestData.Lengths(30)), 3), new BlendEntry(TestData.Write(_directory["b"], TestData.Lengths(12, seed: 2)), 1)],
        Samples = new(70, 4, 0),
    };

    private string Publish() => CachePublisher.Publish(LocalFileSystem.Instance, _directory["cache"], Request(), prefix => prefix, new("b", "tests"), new()).Path;

    private string Build()
    {
        BareOutput.Write(LocalFileSystem.Instance, _directory["bare"], Request(), prefix => prefix, new());
        return _directory["bare"];
    }

    private static IndexedDataset Read(string prefix) => TestData.Read(prefix, prefix);

    private static string Damage(Action verify) => IsFound(verify) ?? throw new InvalidOperationException("The damage was not found.");

    private static string? IsFound(Action verify)
    {
        try
        {
            verify();
            return null;
        }
        catch (IndexingException failure)
        {
            Assert.Equal(FailureReason.VersionCorrupt, failure.Reason);
            return failure.Message;
        }
    }

    private static void WithByte(string path, int at, int value)
    {
        using var file = File.OpenHandle(path, access: FileAccess.Write);
        RandomAccess.Write(file, [(byte)value], at);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
