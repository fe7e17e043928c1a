using System.Text.Json;

namespace Sbom;

/// <summary>A package as a lock file has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">The version that was resolved.</param>
/// <param name="Dependencies">The names of what it needs.</param>
/// <param name="IsDirect">Whether the project itself asks for it.</param>
public sealed record LockedPackage(string Name, string Version, IReadOnlyList<string> Dependencies, bool IsDirect)
{
    /// <summary>The compiler that compiles ahead; its version is that of the runtime whose code it puts into a program.</summary>
    public const string Compiler = "Microsoft.DotNet.ILCompiler";

    /// <summary>Whether it is a part of the SDK that leaves nothing of itself in what is published.</summary>
    public bool IsForBuildingOnly => Name == "Microsoft.NET.ILLink.Tasks" || Name.EndsWith(Compiler, StringComparison.Ordinal);

    /// <summary>Reads all packages of a lock file that count on an architecture, in the order of their names.</summary>
    /// <param name="json">The file's text.</param>
    /// <param name="runtime">The architecture as .NET names it.</param>
    public static IReadOnlyList<LockedPackage> Read(string json, string runtime)
    {
        using var document = JsonDocument.Parse(json);
        var packages = new SortedDictionary<string, LockedPackage>(StringComparer.OrdinalIgnoreCase);
        var projects = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var framework in document.RootElement.GetProperty("dependencies").EnumerateObject())
        {
            if (framework.Name.Contains('/', StringComparison.Ordinal) && !framework.Name.EndsWith($"/{runtime}", StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var entry in framework.Value.EnumerateObject())
            {
                var needed = entry.Value.TryGetProperty("dependencies", out var named) ? named.EnumerateObject().Select(one => one.Name).ToList() : [];
                var type = entry.Value.GetProperty("type").GetString();
                if (type == "Project")
                {
                    projects.UnionWith(needed);
                }
                else
                {
                    packages[entry.Name] = new LockedPackage(entry.Name, entry.Value.GetProperty("resolved").GetString()!, needed, type == "Direct");
                }
            }
        }

        // What a project in the same program asks for, the program asks for.
        return [.. packages.Values.Select(package => package with { IsDirect = package.IsDirect || projects.Contains(package.Name) })];
    }
}
