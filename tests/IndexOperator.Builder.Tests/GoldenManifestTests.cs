using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

/// <summary>The cases that real Megatron-Core wrote, as a person would ask for them: a manifest, and the program.</summary>
public sealed class GoldenManifestTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public static TheoryData<string> GoodCases => [.. Names("ok")];

    public static TheoryData<string> ErrorCases => [.. Names("error")];

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void A_manifest_gives_the_names_and_bytes_that_Megatron_wrote(string name)
    {
        var golden = GoldenManifests.Read(name);

        var (code, _, errors) = Build(name, golden);

        Assert.True(code == 0, errors);
        var written = new DirectoryInfo(_workspace["out"]).GetFiles()
            .Select(file => (file.Name, file.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName)))));
        var expected = golden.GetProperty("outputs").EnumerateArray()
            .Select(output => (output.GetProperty("file").GetString()!, output.GetProperty("bytes").GetInt64(), output.GetProperty("sha256").GetString()!));
        Assert.Equal(expected.OrderBy(file => file.Item1, StringComparer.Ordinal), written.OrderBy(file => file.Name, StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(ErrorCases))]
    public void A_manifest_on_which_Megatron_fails_ends_in_exit_code_2_and_names_dataset_and_split(string name)
    {
        var golden = GoldenManifests.Read(name);

        var (code, _, errors) = Build(name, golden);

        Assert.True(code == 2, $"Exit code {code}: {errors}");
        Assert.Contains(golden.GetProperty("datasets").EnumerateArray(), dataset => errors.Contains(dataset.GetProperty("prefix").GetString()!, StringComparison.Ordinal));
        Assert.Contains(SplitNames.All, split => errors.Contains(split.Name(), StringComparison.Ordinal));
        Assert.False(Directory.Exists(_workspace["out"]) && Directory.EnumerateFiles(_workspace["out"]).Any());
    }

    private static IEnumerable<string> Names(string expected) => Directory.EnumerateDirectories(GoldenManifests.Root)
        .Select(path => Path.GetFileName(path)!)
        .Where(name => GoldenManifests.Read(name).GetProperty("expect").GetString() == expected)
        .Order(StringComparer.Ordinal);


    private (int ExitCode, string Output, string Errors) Build(string name, JsonElement golden)
    {
        GoldenManifests.CopyData(_workspace, name, golden);
        File.WriteAllText(_workspace["index.yaml"], GoldenManifests.Manifest(name, golden).ToJsonString());
        return BuilderProcess.Run("build", "-f", _workspace["index.yaml"], "--output", _workspace["out"], "--map", $"/data/{name}={_workspace["corpus"]}");
    }
}
