using System.Text.RegularExpressions;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>docs/security.md promises nothing without a test: each line of its tables names one, and each that is named exists.</summary>
public sealed partial class SecurityDocumentTests
{
    private static readonly string Document = RepositoryRoot.ReadText("docs/security.md");

    private static readonly Lazy<HashSet<string>> Known = new(Find);

    [Fact]
    public void Each_test_that_is_named_exists()
    {
        var named = Names().Matches(Document).Select(match => $"{match.Groups["class"].Value}.{match.Groups["method"].Value}").ToHashSet();
        Assert.True(named.Count > 50, $"{named.Count} tests are named");
        Assert.Empty(named.Except(Known.Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_promise_names_a_test()
    {
        // The first table says who is who, and promises nothing.
        var rows = Document[Document.IndexOf("## Rights of the operator", StringComparison.Ordinal)..].Split('\n')
            .Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal) && !line.EndsWith("| test |", StringComparison.Ordinal)).ToList();
        Assert.True(rows.Count > 30, $"{rows.Count} promises");
        Assert.All(rows, row => Assert.True(Names().IsMatch(row) || row.Contains("not covered by a test", StringComparison.Ordinal), row));
    }

    [Fact]
    public void A_test_that_is_not_there_would_be_found()
    {
        Assert.Contains("SecurityDocumentTests.Each_test_that_is_named_exists", Known.Value);
        Assert.DoesNotContain("SecurityDocumentTests.Find", Known.Value);
    }

    // By the text of the sources: this project references few of the others.
    private static HashSet<string> Find()
    {
        var known = new HashSet<string>();
        foreach (var file in Directory.EnumerateFiles(RepositoryRoot.PathOf("tests"), "*.cs", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file);
            var before = 0;
            foreach (Match method in Methods().Matches(text))
            {
                // What stands between the method before and this one holds its attributes; the class that was begun last holds both.
                var isTest = text[before..method.Index] is var attributes && (attributes.Contains("[Fact", StringComparison.Ordinal) || attributes.Contains("[Theory", StringComparison.Ordinal));
                if (isTest && Classes().Matches(text[..method.Index]).LastOrDefault() is { } holder)
                {
                    known.Add($"{holder.Groups["class"].Value}.{method.Groups["method"].Value}");
                }

                before = method.Index + method.Length;
            }
        }

        return known;
    }

    [GeneratedRegex(@"`(?<class>[A-Z][A-Za-z]+(Tests|Properties))\.(?<method>[A-Za-z0-9_]+)`", RegexOptions.ExplicitCapture)]
    private static partial Regex Names();

    [GeneratedRegex(@"public (static )?(async Task|Task|void) (?<method>[A-Za-z0-9_]+)\(", RegexOptions.ExplicitCapture)]
    private static partial Regex Methods();

    [GeneratedRegex(@"^(public|internal)( sealed| partial| abstract| static)* class (?<class>[A-Za-z0-9_]+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline)]
    private static partial Regex Classes();
}
