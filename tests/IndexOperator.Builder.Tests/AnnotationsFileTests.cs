using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

/// <summary>The file that the kubelet makes of annotations: Go's quoting, and values of people who mean harm.</summary>
public sealed class AnnotationsFileTests
{
    private const string Key = "indexoperator.io/version";
    private const string Version = "5f0c0e6d0b1a2c3d4e5f";

    [Theory]
    [InlineData("indexoperator.io/version=\"5f0c0e6d0b1a2c3d4e5f\"")]
    [InlineData("indexoperator.io/version=\"5f0c0e6d0b1a2c3d4e5f\"\n")]
    [InlineData("a=\"1\"\nindexoperator.io/version=\"5f0c0e6d0b1a2c3d4e5f\"\nz=\"2\"")]
    public void A_value_is_found_whatever_stands_around_it(string text) => Assert.Equal(Version, AnnotationsFile.Find(text, Key));

    [Theory]
    [InlineData("")]
    [InlineData("xindexoperator.io/version=\"5f0c0e6d0b1a2c3d4e5f\"")]
    [InlineData("indexoperator.io/version-old=\"5f0c0e6d0b1a2c3d4e5f\"")]
    [InlineData(" indexoperator.io/version=\"5f0c0e6d0b1a2c3d4e5f\"")]
    [InlineData("indexoperator.io/version=5f0c0e6d0b1a2c3d4e5f")]
    [InlineData("indexoperator.io/version=\"5f0c0e6d0b1a2c3d4e5f")]
    [InlineData("indexoperator.io/version=\"5f0c\"0e6d0b1a2c3d4e5f\"")]
    [InlineData("indexoperator.io/version=\"5f0c0e6d0b1a2c3d4e5f\"\r")]
    [InlineData("a=\"\u2028indexoperator.io/version=\\\"5f0c0e6d0b1a2c3d4e5f\\\"\"")]
    [InlineData("a=\"\r\nindexoperator.io/version-\"")]
    [InlineData("a=\"x\\nindexoperator.io/version=\\\"5f0c0e6d0b1a2c3d4e5f\\\"\"")]
    public void Nothing_that_only_looks_like_the_line_is_taken_for_it(string text) => Assert.Null(AnnotationsFile.Find(text, Key));

    [Theory]
    [InlineData("\"\"", "")]
    [InlineData("\"a b\"", "a b")]
    [InlineData("\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"", "\a\b\f\n\r\t\v\\\"")]
    [InlineData("\"\\u00e9\\U0001f600\"", "é😀")]
    [InlineData("\"é😀\"", "é😀")]
    [InlineData("\"\\xff\"", "\uFFFD")]
    [InlineData("\"\\udc00\"", "\uFFFD")]
    public void Go_texts_are_read_back(string quoted, string value) => Assert.Equal(value, AnnotationsFile.Unquote(quoted));

    [Theory]
    [InlineData("")]
    [InlineData("\"")]
    [InlineData("\"\\\"")]
    [InlineData("\"\\q\"")]
    [InlineData("\"\\x4\"")]
    [InlineData("\"\\u12\"")]
    [InlineData("\"\\U0001f60\"")]
    [InlineData("\"\\xg0\"")]
    [InlineData("'a'")]
    public void What_Go_does_not_write_is_no_value(string quoted) => Assert.Null(AnnotationsFile.Unquote(quoted));

    [Fact]
    [Trait("Category", "Fuzz")]
    public void A_damaged_file_has_the_value_another_one_or_none()
    {
        var originals = new[] { $"a=\"b\"\n{Key}=\"{Version}\"\nz=\"\\n\\\"\\u00e9\"\n", $"{Key}=\"x\\xff\\U0001f600\"", "" }.Select(System.Text.Encoding.UTF8.GetBytes).ToList();
        TestSupport.Fuzz.Run("annotations of a pod", 30_000, originals, bytes =>
        {
            var text = System.Text.Encoding.UTF8.GetString(bytes);
            Assert.True(AnnotationsFile.Find(text, Key) is not { } value || value.Length <= text.Length);
        });
    }

    [Fact]
    public void A_file_that_is_longer_than_any_pods_annotations_is_refused_without_being_read()
    {
        using var workspace = new Workspace();
        using (var file = File.Create(workspace["annotations"]))
        {
            file.SetLength(1L << 40);
        }

        var refusal = Assert.Throws<IndexingException>(() => AnnotationsFile.Read(workspace["annotations"]));
        Assert.Equal(FailureReason.InvalidSpec, refusal.Reason);
        Assert.Contains("more than", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_no_fault_and_a_directory_is_one()
    {
        using var workspace = new Workspace();
        Assert.Null(AnnotationsFile.Read(workspace["nowhere"]));
        Assert.Null(AnnotationsFile.Read(workspace["nowhere/annotations"]));
        Assert.Equal(FailureReason.InvalidSpec, Assert.Throws<IndexingException>(() => AnnotationsFile.Read(workspace.Path)).Reason);
    }
}
