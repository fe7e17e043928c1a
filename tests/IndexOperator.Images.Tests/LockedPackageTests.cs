using Sbom;

namespace IndexOperator.Images.Tests;

/// <summary>Reading lock files.</summary>
public sealed class LockedPackageTests
{
    private const string Locked = """
        {
          "version": 2,
          "dependencies": {
            "net10.0": {
              "Beta": { "type": "Direct", "requested": "[2.0.0, )", "resolved": "2.0.1", "dependencies": { "Alpha": "1.0.0" } },
              "Alpha": { "type": "Transitive", "resolved": "1.0.0" },
              "Microsoft.NET.ILLink.Tasks": { "type": "Direct", "resolved": "10.0.1" },
              "part.of.it": { "type": "Project", "dependencies": { "Gamma": "[3.0.0, )" } },
              "Gamma": { "type": "CentralTransitive", "resolved": "3.0.0" }
            },
            "net10.0/linux-arm64": { "runtime.linux-arm64.Delta": { "type": "Transitive", "resolved": "4.0.0" } },
            "net10.0/linux-x64": { "runtime.linux-x64.Delta": { "type": "Transitive", "resolved": "4.0.0" } }
          }
        }
        """;

    [Fact]
    public void Packages_are_read_in_the_order_of_their_names_with_those_of_the_architecture_alone() =>
        Assert.Equal(
            ["Alpha 1.0.0", "Beta 2.0.1", "Gamma 3.0.0", "Microsoft.NET.ILLink.Tasks 10.0.1", "runtime.linux-arm64.Delta 4.0.0"],
            LockedPackage.Read(Locked, "linux-arm64").Select(package => $"{package.Name} {package.Version}"));

    [Fact]
    public void What_a_project_of_the_program_asks_for_is_direct() =>
        Assert.Equal(["Beta", "Gamma"], LockedPackage.Read(Locked, "linux-x64").Where(package => package is { IsDirect: true, IsForBuildingOnly: false }).Select(package => package.Name));

    [Theory]
    [InlineData("Microsoft.NET.ILLink.Tasks", true)]
    [InlineData("Microsoft.DotNet.ILCompiler", true)]
    [InlineData("runtime.linux-x64.Microsoft.DotNet.ILCompiler", true)]
    [InlineData("KubernetesClient", false)]
    public void Compiler_and_linker_of_the_SDK_are_for_building_only(string name, bool expected) =>
        Assert.Equal(expected, new LockedPackage(name, "1.0.0", [], IsDirect: true).IsForBuildingOnly);
}
