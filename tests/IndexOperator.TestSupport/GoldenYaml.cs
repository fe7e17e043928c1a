using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using Xunit;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace IndexOperator.TestSupport;

/// <summary>YAML as people and <c>kubectl</c> write it, from and to JSON.</summary>
public static class YamlText
{
    /// <summary>The one document of a YAML text.</summary>
    public static JsonNode Read(string yaml) =>
        YamlJson.ParseAll(yaml) is [{ } document] ? document : throw new InvalidDataException("The text holds not exactly one YAML document.");

    /// <summary>Block style, members in their order, strings quoted only where YAML would read something else.</summary>
    public static string Write(JsonNode? json)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        // Sequences are not indented below their key, as kubectl prints them; lines are never folded.
        var emitter = new Emitter(text, EmitterSettings.Default.WithBestWidth(int.MaxValue));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Emit(emitter, json);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void Emit(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject mapping:
                emitter.Emit(new MappingStart(null, null, isImplicit: true, mapping.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (key, value) in mapping)
                {
                    EmitText(emitter, key);
                    Emit(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                emitter.Emit(new SequenceStart(null, null, isImplicit: true, list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in list)
                {
                    Emit(emitter, item);
                }

                emitter.Emit(new SequenceEnd());
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                EmitText(emitter, value.GetValue<string>());
                break;
            default:
                emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, node?.ToJsonString() ?? "null", ScalarStyle.Plain, isPlainImplicit: true, isQuotedImplicit: false));
                break;
        }
    }

    private static void EmitText(Emitter emitter, string text)
    {
        var style = text.Any(character => char.IsControl(character) && character != '\n') ? ScalarStyle.DoubleQuoted
            : text.Contains('\n', StringComparison.Ordinal) ? ScalarStyle.Literal : ReadsAsItself(text) ? ScalarStyle.Any : ScalarStyle.DoubleQuoted;
        emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, text, style, isPlainImplicit: style == ScalarStyle.Any, isQuotedImplicit: true));
    }

    // Digits first: YAML 1.1 readers see numbers, times and base 60 where 1.2 sees text.
    private static bool ReadsAsItself(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text[0] is not ('-' or '+' or '.')
        && text.ToUpperInvariant() is not ("TRUE" or "FALSE" or "NULL" or "~" or "YES" or "NO" or "ON" or "OFF" or "Y" or "N");
}

/// <summary>One case: a folder with inputs that people write and outputs that <c>UPDATE_GOLDEN=1</c> rewrites.</summary>
/// <param name="path">The folder.</param>
public sealed class GoldenCase(string path)
{
    private static readonly bool Rewrites = Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1";

    /// <summary>The folder's name: what the case shows, as a sentence with dashes.</summary>
    public string Name => Path.GetFileName(path);

    /// <summary>The cases in a folder of the checkout.</summary>
    public static IReadOnlyList<GoldenCase> All(string relative) =>
        Directory.GetDirectories(RepositoryRoot.PathOf(relative)).Order(StringComparer.Ordinal).Select(folder => new GoldenCase(folder)).ToList();

    /// <summary>An input file as JSON.</summary>
    public JsonNode ReadYaml(string file)
    {
        try
        {
            return YamlText.Read(File.ReadAllText(Path.Combine(path, file)));
        }
        catch (ManifestException error)
        {
            throw new InvalidDataException($"{Name}/{file}: {error.Message}", error);
        }
    }

    /// <summary>Compares an output with its file, or rewrites the file.</summary>
    public void MatchYaml(string file, JsonNode? actual)
    {
        var text = YamlText.Write(actual);
        var target = Path.Combine(path, file);
        if (Rewrites)
        {
            File.WriteAllText(target, text);
            return;
        }

        Assert.True(File.Exists(target), $"{Name}/{file} is missing. Run the test with UPDATE_GOLDEN=1 and read what it wrote.");
        var expected = File.ReadAllText(target).ReplaceLineEndings("\n");
        if (expected != text)
        {
            var (line, was, now) = FirstDifference(expected, text);
            Assert.Fail($"{Name}/{file} differs from line {line} on.\n  file: {was}\n  now:  {now}\nIf the change is meant, run with UPDATE_GOLDEN=1 and review the diff.");
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static (int Line, string Was, string Now) FirstDifference(string expected, string actual)
    {
        var was = expected.Split('\n');
        var now = actual.Split('\n');
        var line = 0;
        while (line < was.Length && line < now.Length && was[line] == now[line])
        {
            line++;
        }

        return (line + 1, line < was.Length ? was[line] : "(end)", line < now.Length ? now[line] : "(end)");
    }
}
