using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Sbom;

/// <summary>What a checkout, and the packages that were restored for it, say of what an image is made of.</summary>
/// <param name="folder">The checkout's root.</param>
public sealed partial class Checkout(string folder)
{
    private readonly Dictionary<string, IReadOnlyList<string>> _packageFolders = [];

    /// <summary>The version of everything.</summary>
    public string Version => XDocument.Load(Path.Combine(folder, "Directory.Build.props")).Descendants("Version").Single().Value;

    /// <summary>The packages that the program in an image is made of, and those that it is built with.</summary>
    /// <param name="image">The image.</param>
    public IReadOnlyList<LockedPackage> Packages(Image image) => LockedPackage.Read(File.ReadAllText(Path.Combine(folder, image.LockFile)), image.Runtime);

    /// <summary>The version of .NET in an image: its base image's, or that of the compiler which puts it into the program.</summary>
    /// <param name="image">The image.</param>
    public string RuntimeVersion(Image image) => image.Target == "operator"
        ? BaseVersion().Match(File.ReadAllText(Path.Combine(folder, "Dockerfile"))) is { Success: true } found
            ? found.Groups[1].Value
            : throw new InvalidDataException("The Dockerfile has no base image .../aspnet:VERSION-...: nobody can say which .NET is in the operator's image. Adapt tools/Sbom/Checkout.cs.")
        : Packages(image).Single(package => package.Name == LockedPackage.Compiler).Version;

    /// <summary>The SHA-512 of a package's file, in hexadecimal digits.</summary>
    /// <param name="image">The image that it is in.</param>
    /// <param name="package">The package.</param>
    public string HashOf(Image image, LockedPackage package) =>
        Convert.ToHexStringLower(Convert.FromBase64String(File.ReadAllText(FileOf(image, package, ".nupkg.sha512"))));

    /// <summary>The licence that a package declares: an expression of SPDX, or the address of a text.</summary>
    /// <param name="image">The image that it is in.</param>
    /// <param name="package">The package.</param>
    public (string? Expression, string? Url) LicenceOf(Image image, LockedPackage package)
    {
        var metadata = XDocument.Load(FileOf(image, package, ".nuspec")).Root!.Elements().Single(element => element.Name.LocalName == "metadata").Elements().ToList();
        return metadata.SingleOrDefault(element => element.Name.LocalName == "license" && (string?)element.Attribute("type") == "expression") is { } expression
            ? (expression.Value, null)
            : (null, metadata.SingleOrDefault(element => element.Name.LocalName == "licenseUrl")?.Value);
    }

    private string FileOf(Image image, LockedPackage package, string ending)
    {
        var (name, version) = (package.Name.ToLowerInvariant(), package.Version.ToLowerInvariant());
        var file = ending == ".nuspec" ? name + ending : $"{name}.{version}{ending}";
        return PackageFolders(image.Project).Select(packages => Path.Combine(packages, name, version, file)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"{package.Name} {package.Version} is in none of the folders of packages: it was not restored. Run dotnet restore.");
    }

    private IReadOnlyList<string> PackageFolders(string project)
    {
        if (!_packageFolders.TryGetValue(project, out var folders))
        {
            using var assets = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, project, "obj/project.assets.json")));
            _packageFolders[project] = folders = [.. assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(entry => entry.Name)];
        }

        return folders;
    }

    [GeneratedRegex(@"/aspnet:(\d+\.\d+\.\d+)-")]
    private static partial Regex BaseVersion();
}
