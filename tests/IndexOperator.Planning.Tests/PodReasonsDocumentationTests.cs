using System.Text.RegularExpressions;
using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>docs/waiting-pods.md names every reason that a pod may be told, and no other.</summary>
public sealed partial class PodReasonsDocumentationTests
{
    [Fact]
    public void The_document_has_a_row_for_each_reason()
    {
        var reasons = typeof(PodReasons).GetFields().Select(field => (string)field.GetRawConstantValue()!);
        var rows = Row().Matches(RepositoryRoot.ReadText("docs/waiting-pods.md")).Select(match => match.Groups[1].Value);
        Assert.Equal(reasons.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("^\\| `([A-Z][A-Za-z]+)` \\|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
