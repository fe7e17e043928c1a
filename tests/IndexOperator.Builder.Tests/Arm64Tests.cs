using System.Globalization;
using System.Reflection;
using IndexOperator.TestSupport;

namespace IndexOperator.Builder.Tests;

/// <summary>The images for arm64, whose programs run under an emulator: what they write does not depend on the processor.</summary>
public sealed class Arm64Tests : IAsyncLifetime
{
    private const string Builder = "builder";

    // A link may lead out of the folder, to where it would lead in a container.
    private static readonly EnumerationOptions Everywhere = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private readonly Workspace _workspace = new();

    /// <summary>Those of one release: others have other names and layouts, which no processor changes, and the emulator is slow.</summary>
    public static TheoryData<string> GoodCases => [.. GoldenManifests.Names("ok").Where(name => char.IsAsciiDigit(name[0]))];

    public async ValueTask InitializeAsync() => await Arm64.SkipUnlessEmulatedAsync();

    public ValueTask DisposeAsync()
    {
        _workspace.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("operator")]
    [InlineData("builder")]
    public async Task An_image_is_of_arm64_throughout_and_its_program_says_its_version(string image)
    {
        var configuration = await Arm64.ConfigurationAsync(image);
        Assert.Equal(("arm64", "linux"), ((string?)configuration["architecture"], (string?)configuration["os"]));
        Assert.Equal("65532:65532", (string?)configuration["config"]!["User"]);

        var root = await Arm64.RootAsync(image);
        var machines = Directory.EnumerateFiles(root, "*", Everywhere).Select(file => (File: Path.GetRelativePath(root, file), Machine: MachineOf(file))).Where(found => found.Machine != 0).ToList();
        Assert.Contains(machines, found => found.File == $"app/index-{image}");
        Assert.All(machines, found => Assert.Equal((found.File, 183), (found.File, found.Machine))); // EM_AARCH64
        Assert.Equal(
            await File.ReadAllTextAsync(RepositoryRoot.PathOf($"sbom/{image}-arm64.cdx.json"), TestContext.Current.CancellationToken),
            await File.ReadAllTextAsync($"{root}/usr/share/sbom/index-{image}.cdx.json", TestContext.Current.CancellationToken));

        var answer = await Arm64.RunAsync(image, "--version");
        Assert.True(answer.ExitCode == 0, answer.ToString());
        var version = typeof(BuildTests).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        Assert.StartsWith(version, answer.Output.Trim(), StringComparison.Ordinal);
        Assert.Equal(version, (string?)configuration["config"]!["Labels"]!["org.opencontainers.image.version"]);
    }

    [Theory]
    [MemberData(nameof(GoodCases))]
    public async Task A_manifest_gives_the_names_and_bytes_that_Megatron_wrote(string name)
    {
        var golden = GoldenManifests.Read(name);

        var built = await Arm64.RunAsync(Builder, GoldenManifests.Prepare(_workspace, name, golden));

        Assert.True(built.ExitCode == 0, built.ToString());
        GoldenManifests.AssertWritten(_workspace, golden);
    }

    // So many that the blend goes through vectors of groups.
    [Fact]
    public async Task A_blend_of_many_datasets_and_long_shuffles_are_those_of_amd64()
    {
        string[] names = [.. Enumerable.Range(0, 120).Select(i => string.Create(CultureInfo.InvariantCulture, $"part{i}"))];
        for (var i = 0; i < names.Length; i++)
        {
            _workspace.WriteText(names[i], 20 + i);
        }

        var blend = string.Join(", ", names.Select((name, i) => string.Create(CultureInfo.InvariantCulture, $"{{prefix: /data/{name}, weight: 0.{1 + (i * 7919 % 997):000}}}")));
        var manifest = _workspace.WriteManifest($"[{blend}]", "samples: {train: 300000, validation: 5000, test: 0}");
        string[] Build(string folder) => ["build", "-f", manifest, "--output", _workspace[folder], "--map", _workspace.Map];

        var (code, _, errors) = BuilderProcess.Run(Build("amd64"));
        Assert.True(code == 0, errors);
        var built = await Arm64.RunAsync(Builder, Build("arm64"));
        Assert.True(built.ExitCode == 0, built.ToString());

        Assert.Equal(_workspace.FilesOf("amd64"), _workspace.FilesOf("arm64"));
    }

    [Fact]
    public async Task A_version_of_amd64_is_verified_and_found_again_and_a_damaged_one_is_told()
    {
        _workspace.WriteText("a", 500);
        var manifest = _workspace.WriteManifest("[{prefix: /data/a}]");
        string[] build = ["build", "-f", manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map];
        Assert.Equal(0, BuilderProcess.Run(build).ExitCode);
        var version = Assert.Single(_workspace.Versions);

        foreach (var command in new string[][] { ["verify", version], ["verify", version, "--recompute"], build })
        {
            var answer = await Arm64.RunAsync(Builder, command);
            Assert.True(answer.ExitCode == 0, answer.ToString());
        }

        Assert.Equal([version], _workspace.Versions);

        var victim = Directory.GetFiles(version, "*shuffle_index.npy")[0];
        var bytes = await File.ReadAllBytesAsync(victim, TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(victim, bytes, TestContext.Current.CancellationToken);
        Assert.NotEqual(0, (await Arm64.RunAsync(Builder, "verify", version)).ExitCode);
    }

    /// <summary>The processor that a file is for, by the number that ELF has for it; 0 where it is no program and no native library.</summary>
    private static int MachineOf(string file)
    {
        using var opened = File.OpenRead(file);
        Span<byte> header = stackalloc byte[20];
        return opened.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length && header.StartsWith("\u007fELF"u8) ? BitConverter.ToUInt16(header[18..]) : 0;
    }
}
