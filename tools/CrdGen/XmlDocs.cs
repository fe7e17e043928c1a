using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace CrdGen;

/// <summary>Summaries of properties, from a compiler's documentation file.</summary>
public sealed partial class XmlDocs
{
    private readonly Dictionary<string, string> _summaries;

    private XmlDocs(XDocument document) =>
        _summaries = document.Descendants("member")
            .Where(member => member.Attribute("name")!.Value.StartsWith("P:", StringComparison.Ordinal))
            .ToDictionary(member => member.Attribute("name")!.Value, member => Blanks().Replace(member.Element("summary")?.Value ?? "", " ").Trim());

    /// <summary>The documentation of the package KubernetesClient.</summary>
    public static XmlDocs OfKubernetesClient()
    {
        using var stream = typeof(XmlDocs).Assembly.GetManifestResourceStream("KubernetesClient.xml")!;
        return new XmlDocs(XDocument.Load(stream));
    }

    /// <summary>The summary of a property on one line; null when there is none.</summary>
    public string? SummaryOf(MemberInfo property)
    {
        ArgumentNullException.ThrowIfNull(property);
        return _summaries.TryGetValue($"P:{property.DeclaringType!.FullName}.{property.Name}", out var text) && text.Length > 0 ? text : null;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
