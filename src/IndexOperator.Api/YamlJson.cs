using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace IndexOperator.Api;

/// <summary>
/// Turns YAML into JSON as Kubernetes does (the YAML 1.2 core schema for plain scalars, strings when quoted), over YamlDotNet's
/// parser: its object mapper needs reflection, and its number handling would change <c>0.10</c> and large integers.
/// </summary>
public static partial class YamlJson
{
    private const int MaxDepth = 64;
    private const int MaxNodes = 1_000_000;

    /// <summary>Every document of a YAML stream; null for an empty document.</summary>
    /// <exception cref="ManifestException">The text is no YAML, is nested too deeply, or repeats a key.</exception>
    public static IReadOnlyList<JsonNode?> ParseAll(string text)
    {
        try
        {
            var reader = new Reader(new Parser(new StringReader(text)));
            return reader.ReadStream();
        }
        catch (YamlException error)
        {
            throw new ManifestException($"line {error.Start.Line}, column {error.Start.Column}: {error.Message}", error);
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // The scanner trips over some texts (found by fuzzing) instead of refusing them.
            throw new ManifestException($"The text is no YAML that can be read ({error.Message}) Look for stray control characters and unclosed quotes.", error);
        }
    }

    private static JsonValue? Scalar(Scalar scalar)
    {
        var text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain || (!scalar.Tag.IsEmpty && scalar.Tag == "tag:yaml.org,2002:str"))
        {
            return JsonValue.Create(text);
        }

        return text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            "true" or "True" or "TRUE" => JsonValue.Create(true),
            "false" or "False" or "FALSE" => JsonValue.Create(false),
            _ when Integer().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
            _ when Float().IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
            _ => JsonValue.Create(text),
        };
    }

    [GeneratedRegex("^[-+]?[0-9]+$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Integer();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Float();

    private sealed class Reader(IParser parser)
    {
        private readonly Dictionary<AnchorName, JsonNode?> _anchors = [];
        private int _nodes;

        public List<JsonNode?> ReadStream()
        {
            var documents = new List<JsonNode?>();
            parser.Consume<StreamStart>();
            while (!parser.TryConsume<StreamEnd>(out _))
            {
                parser.Consume<DocumentStart>();
                _anchors.Clear();
                documents.Add(Node(0));
                parser.Consume<DocumentEnd>();
            }

            return documents;
        }

        private JsonNode? Node(int depth)
        {
            if (depth > MaxDepth || ++_nodes > MaxNodes)
            {
                throw new YamlException(parser.Current!.Start, parser.Current.End, $"nested deeper than {MaxDepth} levels or larger than {MaxNodes} nodes");
            }

            if (parser.TryConsume<AnchorAlias>(out var alias))
            {
                // A copy each time: counting the copies is what stops an alias bomb.
                var original = _anchors.TryGetValue(alias.Value, out var node) ? node : throw new YamlException(alias.Start, alias.End, "unknown alias");
                _nodes += Count(original);
                return _nodes > MaxNodes ? throw new YamlException(alias.Start, alias.End, "aliases expand to too much") : original?.DeepClone();
            }

            var anchor = parser.Current is NodeEvent { Anchor.IsEmpty: false } named ? named.Anchor : default;
            JsonNode? value = parser.Current switch
            {
                MappingStart => Mapping(depth),
                SequenceStart => Sequence(depth),
                _ => Scalar(parser.Consume<Scalar>()),
            };
            if (!anchor.IsEmpty)
            {
                _anchors[anchor] = value;
            }

            return value;
        }

        private JsonObject Mapping(int depth)
        {
            var result = new JsonObject();
            parser.Consume<MappingStart>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var key = parser.Consume<Scalar>();
                if (result.ContainsKey(key.Value))
                {
                    throw new YamlException(key.Start, key.End, $"the key \"{key.Value}\" stands twice");
                }

                result[key.Value] = Node(depth + 1);
            }

            return result;
        }

        private JsonArray Sequence(int depth)
        {
            var result = new JsonArray();
            parser.Consume<SequenceStart>();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                result.Add(Node(depth + 1));
            }

            return result;
        }

        private static int Count(JsonNode? node) => 1 + node switch
        {
            JsonObject mapping => mapping.Sum(pair => Count(pair.Value)),
            JsonArray list => list.Sum(Count),
            _ => 0,
        };
    }
}
