using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace IndexOperator.Planning.Tests;

/// <summary>Planning decides and Indexing computes: neither talks to anything. What an assembly does not reference, it cannot do.</summary>
public sealed class PurityTests
{
    private static readonly string[] Impure =
    [
        "System.Net", "Microsoft.Extensions", "System.IO.Pipe", "System.Diagnostics.Process", "System.Data", "Microsoft.AspNetCore", "OpenTelemetry", "System.Console",
    ];

    [Theory]
    [InlineData("IndexOperator.Planning")]
    [InlineData("IndexOperator.Indexing")]
    public void Nothing_impure_is_referenced(string assembly)
    {
        var references = Assembly.Load(assembly).GetReferencedAssemblies().Select(reference => reference.Name!).ToList();

        Assert.NotEmpty(references);
        Assert.DoesNotContain(references, reference => Impure.Any(impure => reference.StartsWith(impure, StringComparison.Ordinal)));
        Assert.DoesNotContain(references, reference => reference.StartsWith("IndexOperator.", StringComparison.Ordinal) && (assembly == "IndexOperator.Indexing" || reference != "IndexOperator.Api"));
    }

    [Fact]
    public void Planning_uses_models_of_kubernetes_only_and_no_clock_file_or_chance()
    {
        var used = TypesUsedBy(typeof(Planner).Assembly);

        Assert.Contains("k8s.Models.V1Job", used);
        Assert.Equal([], used.Where(type => type.StartsWith("k8s.", StringComparison.Ordinal) && !type.StartsWith("k8s.Models.", StringComparison.Ordinal) && !IsModelPart(type)));
        Assert.DoesNotContain(used, type => type is "System.IO.File" or "System.IO.Directory" or "System.Random" or "System.TimeProvider" or "System.Threading.Thread");
        Assert.DoesNotContain(used, type => type.StartsWith("System.Threading.Tasks.", StringComparison.Ordinal));
    }

    [Fact]
    public void Planning_never_asks_what_time_it_is()
    {
        using var stream = File.OpenRead(typeof(Planner).Assembly.Location);
        using var image = new PEReader(stream);
        var reader = image.GetMetadataReader();

        var members = reader.MemberReferences.Select(handle => reader.GetString(reader.GetMemberReference(handle).Name)).ToList();

        Assert.DoesNotContain("get_UtcNow", members);
        Assert.DoesNotContain("get_TickCount64", members);
        Assert.DoesNotContain("GetEnvironmentVariable", members);
        Assert.DoesNotContain("NewGuid", members);
        // System.DateTime.Now; ObservedState.Now is a member of this assembly, not a reference.
        Assert.DoesNotContain("get_Now", members);
    }

    private static bool IsModelPart(string type) => type.StartsWith("k8s.IKubernetesObject", StringComparison.Ordinal) || type.StartsWith("k8s.IMetadata", StringComparison.Ordinal)
        || type is "k8s.ISpec`1" or "k8s.IStatus`1" or "k8s.IItems`1" or "k8s.IntOrString";

    private static List<string> TypesUsedBy(Assembly assembly)
    {
        using var stream = File.OpenRead(assembly.Location);
        using var image = new PEReader(stream);
        var reader = image.GetMetadataReader();
        return reader.TypeReferences
            .Select(reader.GetTypeReference)
            .Select(type => $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}")
            .ToList();
    }
}
