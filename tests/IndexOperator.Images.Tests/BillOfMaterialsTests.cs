using System.Text.Json.Nodes;
using System.Xml.Linq;
using CycloneDX.Json;
using CycloneDX.Models;
using IndexOperator.TestSupport;
using Sbom;

namespace IndexOperator.Images.Tests;

/// <summary>The bills of materials that images bring along.</summary>
public sealed class BillOfMaterialsTests
{
    private static readonly string[] OfTheSdk =
        ["Microsoft.NET.ILLink.Tasks", "Microsoft.DotNet.ILCompiler", "runtime.linux-x64.Microsoft.DotNet.ILCompiler", "runtime.linux-arm64.Microsoft.DotNet.ILCompiler"];

    public static TheoryData<string, string> Images => new(Image.All.Select(image => (image.Target, image.Architecture)));

    [Theory]
    [MemberData(nameof(Images))]
    public void It_is_valid_CycloneDX(string target, string architecture)
    {
        var validity = Validator.Validate(Text(target, architecture), BillOfMaterials.Specification);

        Assert.True(validity.Valid, string.Join('\n', validity.Messages));
    }

    [Fact]
    public void What_is_no_CycloneDX_does_not_pass_for_it()
    {
        var damaged = JsonNode.Parse(Text("builder", "amd64"))!;
        damaged["components"]![0]!["type"] = "thing";

        Assert.False(Validator.Validate(damaged.ToJsonString(), BillOfMaterials.Specification).Valid);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void It_names_the_packages_that_the_program_runs_with_and_no_others(string target, string architecture)
    {
        var program = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, $"index-{target}.deps.json")))!;

        var loaded = program["libraries"]!.AsObject().Where(library => (string?)library.Value!["type"] == "package").Select(library => $"pkg:nuget/{library.Key.Replace('/', '@')}");

        Assert.Equal(loaded.Order(StringComparer.Ordinal), Libraries(target, architecture).Select(library => library.Purl).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void It_names_all_that_the_lock_file_has_but_what_is_of_the_SDK(string target, string architecture)
    {
        var image = new Image(target, architecture);
        var locked = JsonNode.Parse(RepositoryRoot.ReadText(image.LockFile))!["dependencies"]!.AsObject()
            .SelectMany(framework => framework.Value!.AsObject())
            .Where(entry => (string?)entry.Value!["type"] != "Project" && !OfTheSdk.Contains(entry.Key))
            .Select(entry => $"pkg:nuget/{entry.Key}@{entry.Value!["resolved"]}");

        Assert.Equal(locked.Distinct().Order(StringComparer.Ordinal), Libraries(target, architecture).Select(library => library.Purl).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Each_package_has_the_hash_of_its_file_and_a_licence(string target, string architecture)
    {
        Assert.All(Libraries(target, architecture), library =>
        {
            var hash = Assert.Single(library.Hashes);
            Assert.Equal(Hash.HashAlgorithm.SHA_512, hash.Alg);
            Assert.Matches("^[0-9a-f]{128}$", hash.Content);
            Assert.NotEmpty(library.Licenses);
        });
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Every_package_is_one_that_the_program_comes_to(string target, string architecture)
    {
        var bill = Read(target, architecture);
        var needs = bill.Dependencies.ToDictionary(one => one.Ref, one => one.Dependencies?.Select(needed => needed.Ref).ToList() ?? []);
        var (open, reached) = (new Stack<string>([bill.Metadata.Component.BomRef]), new HashSet<string>());
        while (open.TryPop(out var reference))
        {
            if (reached.Add(reference))
            {
                needs[reference].ForEach(open.Push);
            }
        }

        Assert.Equal(bill.Components.Select(component => component.BomRef).Append(bill.Metadata.Component.BomRef).Order(StringComparer.Ordinal), reached.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("operator", "amd64", "ASPNET", "Microsoft.AspNetCore.App.Runtime.linux-x64", "Microsoft.NETCore.App.Runtime.linux-x64")]
    [InlineData("operator", "arm64", "ASPNET", "Microsoft.AspNetCore.App.Runtime.linux-arm64", "Microsoft.NETCore.App.Runtime.linux-arm64")]
    [InlineData("builder", "amd64", "RUNTIME_DEPS", "Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64")]
    [InlineData("builder", "arm64", "RUNTIME_DEPS", "Microsoft.NETCore.App.Runtime.NativeAOT.linux-arm64")]
    public void It_names_the_NET_runtime_of_the_base_image(string target, string architecture, string argument, params string[] runtimes)
    {
        var tag = RepositoryRoot.ReadText("Dockerfile").Split('\n').Single(line => line.StartsWith($"ARG {argument}_NAME=", StringComparison.Ordinal)).Split(':')[^1];

        var frameworks = Read(target, architecture).Components.Where(component => component.Type == Component.Classification.Framework).Select(component => component.Purl);

        Assert.Equal(runtimes.Select(runtime => $"pkg:nuget/{runtime}@{tag.Split('-')[0]}"), frameworks);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void It_is_of_the_program_in_its_version_and_has_neither_time_nor_serial_number(string target, string architecture)
    {
        var bill = Read(target, architecture);

        Assert.Equal($"index-{target}", bill.Metadata.Component.Name);
        Assert.Equal(XDocument.Load(RepositoryRoot.PathOf("Directory.Build.props")).Descendants("Version").Single().Value, bill.Metadata.Component.Version);
        Assert.Null(bill.Metadata.Timestamp);
        Assert.Null(bill.SerialNumber);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Writing_it_anew_gives_the_same_text(string target, string architecture) =>
        Assert.Equal(Text(target, architecture), BillOfMaterials.Write(new Image(target, architecture), new Checkout(RepositoryRoot.Folder)));

    private static string Text(string target, string architecture) => RepositoryRoot.ReadText(new Image(target, architecture).Path);

    private static Bom Read(string target, string architecture) => Serializer.Deserialize(Text(target, architecture));

    private static IEnumerable<Component> Libraries(string target, string architecture) =>
        Read(target, architecture).Components.Where(component => component.Type == Component.Classification.Library);
}
