using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

/// <summary>The cases that real Megatron-Core wrote, as a person would ask for them: a manifest, and the program.</summary>
public sealed class GoldenManifestTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public static TheoryData<string> GoodCases => [.. GoldenManifests.Names("ok")];

    public static TheoryData<string> ErrorCases => [.. GoldenManifests.Names("error")];

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void A_manifest_gives_the_names_and_bytes_that_Megatron_wrote(string name)
    {
        var golden = GoldenManifests.Read(name);

        var (code, _, errors) = Build(name, golden);

        Assert.True(code == 0, errors);
        GoldenManifests.AssertWritten(_workspace, golden);
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

    private (int ExitCode, string Output, string Errors) Build(string name, JsonElement golden) => BuilderProcess.Run(GoldenManifests.Prepare(_workspace, name, golden));
}
