using CycloneDX;
using CycloneDX.Json;
using CycloneDX.Models;

namespace Sbom;

/// <summary>
/// Writes what an image is made of. The same checkout gives the same text: it has no time and no serial number, as it is part of an image that
/// has to come out the same each time.
/// </summary>
public static class BillOfMaterials
{
    /// <summary>The specification that is written: what scanners of today read.</summary>
    public const SpecificationVersion Specification = SpecificationVersion.v1_6;

    /// <summary>The text for an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="checkout">Where its source is.</param>
    public static string Write(Image image, Checkout checkout)
    {
        var packages = checkout.Packages(image).Where(package => !package.IsForBuildingOnly).ToList();
        var runtimeVersion = checkout.RuntimeVersion(image);
        var runtime = image.RuntimePackages.Select(name => Named(Component.Classification.Framework, name, runtimeVersion, "MIT")).ToList();
        var program = new Component
        {
            Type = Component.Classification.Application,
            BomRef = image.Program,
            Name = image.Program,
            Version = checkout.Version,
            Licenses = Licences("Apache-2.0", null),
            Purl = $"pkg:generic/{image.Program}@{checkout.Version}",
        };
        var references = packages.ToDictionary(package => package.Name, PackageUrl, StringComparer.OrdinalIgnoreCase);
        var bill = new Bom
        {
            Version = 1,
            SpecVersion = Specification,
            Metadata = new Metadata { Component = program },
            Components = [.. runtime, .. packages.Select(package => Library(image, package, checkout))],
            Dependencies =
            [
                Needs(program.BomRef, runtime.Select(one => one.BomRef).Concat(packages.Where(package => package.IsDirect).Select(PackageUrl))),
                .. runtime.Select(one => Needs(one.BomRef, [])),
                // Packages name what they need on other releases of .NET, too, where the runtime now has it.
                .. packages.Select(package => Needs(PackageUrl(package), package.Dependencies.Where(references.ContainsKey).Select(name => references[name]))),
            ],
        };
        return Serializer.Serialize(bill) + "\n";
    }

    private static string PackageUrl(LockedPackage package) => $"pkg:nuget/{package.Name}@{package.Version}";

    private static Component Library(Image image, LockedPackage package, Checkout checkout)
    {
        var (expression, url) = checkout.LicenceOf(image, package);
        var library = Named(Component.Classification.Library, package.Name, package.Version, expression, url);
        library.Hashes = [new Hash { Alg = Hash.HashAlgorithm.SHA_512, Content = checkout.HashOf(image, package) }];
        return library;
    }

    private static Component Named(Component.Classification type, string name, string version, string? licence, string? licenceUrl = null) => new()
    {
        Type = type,
        BomRef = $"pkg:nuget/{name}@{version}",
        Name = name,
        Version = version,
        Scope = Component.ComponentScope.Required,
        Licenses = Licences(licence, licenceUrl),
        Purl = $"pkg:nuget/{name}@{version}",
    };

    private static List<LicenseChoice>? Licences(string? expression, string? url) => (expression, url) switch
    {
        ({ } spdx, _) when spdx.Contains(' ', StringComparison.Ordinal) => [new LicenseChoice { Expression = spdx }],
        ({ } spdx, _) => [new LicenseChoice { License = new License { Id = spdx } }],
        (_, { } address) => [new LicenseChoice { License = new License { Name = "as told at the address", Url = address } }],
        _ => null,
    };

    private static Dependency Needs(string reference, IEnumerable<string> needed) =>
        new() { Ref = reference, Dependencies = [.. needed.Select(one => new Dependency { Ref = one })] };
}
