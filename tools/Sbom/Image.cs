namespace Sbom;

/// <summary>One of the images, for one architecture.</summary>
/// <param name="Target">The Dockerfile's target.</param>
/// <param name="Architecture">The architecture, as images name it.</param>
public sealed record Image(string Target, string Architecture)
{
    /// <summary>All that are built.</summary>
    public static IReadOnlyList<Image> All { get; } =
        [.. new[] { "operator", "builder" }.SelectMany(target => new[] { "amd64", "arm64" }.Select(architecture => new Image(target, architecture)))];

    /// <summary>Where the bill of materials is in the checkout.</summary>
    public string Path => $"sbom/{Target}-{Architecture}.cdx.json";

    /// <summary>The program in it.</summary>
    public string Program => $"index-{Target}";

    /// <summary>The folder of the program's project.</summary>
    public string Project => Target == "operator" ? "src/IndexOperator.Operator" : "src/IndexOperator.Builder";

    /// <summary>The lock file that it is restored by. The builder is compiled ahead in its image, with a compiler that is locked, too.</summary>
    public string LockFile => $"{Project}/{(Target == "operator" ? "packages.lock.json" : "packages.native.lock.json")}";

    /// <summary>The architecture as .NET names it.</summary>
    public string Runtime => Architecture == "amd64" ? "linux-x64" : $"linux-{Architecture}";

    /// <summary>The packages of the .NET runtime whose code is in the image: advisories name them.</summary>
    public IReadOnlyList<string> RuntimePackages => Target == "operator"
        ? [$"Microsoft.AspNetCore.App.Runtime.{Runtime}", $"Microsoft.NETCore.App.Runtime.{Runtime}"]
        : [$"Microsoft.NETCore.App.Runtime.NativeAOT.{Runtime}"];
}
