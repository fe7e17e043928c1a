using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using IndexOperator.Api;
using IndexOperator.Api.Schema;
using k8s.Models;

namespace CrdGen;

/// <summary>
/// Structural schemas (apiextensions.k8s.io/v1) of C# types, over the contract that System.Text.Json reads and writes them with: names,
/// enum spellings and what is ignored cannot drift from the code. Everything else comes from attributes on the properties.
/// </summary>
/// <param name="options">The options, and so the contract, of the types.</param>
/// <param name="docs">Descriptions of the properties of Kubernetes' own types.</param>
public sealed class SchemaBuilder(JsonSerializerOptions options, XmlDocs docs)
{
    // Narrower than Kubernetes' own, so that whatever is stored can be read: the client takes minutes for "1e999999999", refuses more than
    // 28 digits and fractions in exponents, and misreads negative ones. No resource of a container or claim needs any of these.
    private const string QuantityPattern = @"^\+?([0-9]{1,18}(\.[0-9]{0,9})?|\.[0-9]{1,9})([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$";

    // The client's models do not say what is required; these are the "+required" fields of Kubernetes' own Go types.
    private static readonly Dictionary<Type, string[]> RequiredOfModels = new()
    {
        [typeof(Corev1ResourceClaim)] = ["name"],
        [typeof(V1NodeSelector)] = ["nodeSelectorTerms"],
        [typeof(V1NodeSelectorRequirement)] = ["key", "operator"],
        [typeof(V1PreferredSchedulingTerm)] = ["preference", "weight"],
        [typeof(V1PodAffinityTerm)] = ["topologyKey"],
        [typeof(V1WeightedPodAffinityTerm)] = ["podAffinityTerm", "weight"],
        [typeof(V1LabelSelectorRequirement)] = ["key", "operator"],
        [typeof(V1EnvVar)] = ["name"],
        [typeof(V1ConfigMapKeySelector)] = ["key"],
        [typeof(V1SecretKeySelector)] = ["key"],
        [typeof(V1FileKeySelector)] = ["key", "path", "volumeName"],
        [typeof(V1ObjectFieldSelector)] = ["fieldPath"],
        [typeof(V1ResourceFieldSelector)] = ["resource"],
    };

    private readonly HashSet<Type> _references = [];

    /// <summary>The schema of one property of a type, with everything that its attributes say.</summary>
    /// <exception cref="SchemaException">A type or property cannot be expressed, or lacks a description.</exception>
    public JsonObject OfProperty(Type type, string name)
    {
        var property = options.GetTypeInfo(type).Properties.Single(candidate => candidate.AttributeProvider is MemberInfo member && member.Name == name);
        var schema = OfType(property.PropertyType);
        Annotate(schema, property, NameOf(property));
        return Ordered(schema);
    }

    /// <summary>The schema of a type.</summary>
    /// <exception cref="SchemaException">A type or property cannot be expressed, or lacks a description.</exception>
    public JsonObject OfType(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        var exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };
        JsonNode schema;
        try
        {
            schema = options.GetJsonSchemaAsNode(type, exporter);
        }
        catch (InvalidOperationException error)
        {
            throw new SchemaException($"{type}: {error.Message}", error);
        }

        return schema.AsObject();
    }

    private JsonObject Transform(JsonSchemaExporterContext context, JsonNode node)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        var where = context.PropertyInfo is { } property ? NameOf(property) : type.ToString();
        var schema = (node as JsonObject)?.ContainsKey("$ref") == true ? OfReference(type, where) : OfNode(context.TypeInfo, type, node, where);
        if (context.PropertyInfo is not null)
        {
            Annotate(schema, context.PropertyInfo, where);
        }

        return Ordered(schema);
    }

    // The exporter writes a type that it has met before as a pointer, be it beside or around this one; a structural schema has no pointers.
    private JsonObject OfReference(Type type, string where)
    {
        if (!_references.Add(type))
        {
            throw new SchemaException($"{where}: the type {type} contains itself, which a structural schema cannot express.");
        }

        var schema = OfType(type);
        _references.Remove(type);
        return schema;
    }

    private JsonObject OfNode(JsonTypeInfo info, Type type, JsonNode node, string where)
    {
        if (type.IsEnum)
        {
            var names = (node as JsonObject)?["enum"]?.AsArray().Where(name => name is not null).Select(name => name!.DeepClone()).ToArray();
            return names is { Length: > 0 } && names.All(name => name.GetValueKind() == JsonValueKind.String)
                ? new JsonObject { ["type"] = "string", ["enum"] = new JsonArray(names) }
                : throw new SchemaException($"{where}: the enum {type} needs a JsonStringEnumConverter<{type.Name}>.");
        }

        if (OfScalar(type) is { } scalar)
        {
            return scalar;
        }

        switch (info.Kind)
        {
            // Where the element's schema says nothing ("true"), the exporter leaves items and additionalProperties out: ask for it.
            case JsonTypeInfoKind.Enumerable when type != typeof(byte[]):
                return new JsonObject { ["type"] = "array", ["items"] = Child(node, "items") ?? OfType(info.ElementType!) };
            case JsonTypeInfoKind.Dictionary when info.KeyType == typeof(string):
                return new JsonObject { ["type"] = "object", ["additionalProperties"] = Child(node, "additionalProperties") ?? OfType(info.ElementType!) };
            case JsonTypeInfoKind.Object when type != typeof(object) && info.PolymorphismOptions is null:
                break;
            default:
                throw new SchemaException($"{where}: the type {type} has no place in a structural schema. Use GoDuration for a time span, long for a large number.");
        }

        var schema = new JsonObject { ["type"] = "object" };
        if (Child(node, "properties") is { } properties)
        {
            schema["properties"] = properties;
        }

        var required = info.Properties
            .Where(property => Attribute<RequiredAttribute>(property) is not null || RequiredOfModels.GetValueOrDefault(type)?.Contains(property.Name) == true)
            .Select(property => (JsonNode)property.Name)
            .ToArray();
        if (required.Length > 0)
        {
            schema["required"] = new JsonArray(required);
        }

        AddRules(schema, type.GetCustomAttributes<CelRuleAttribute>());
        return schema;
    }

    private static JsonObject? OfScalar(Type type) => type switch
    {
        _ when type == typeof(string) => new() { ["type"] = "string" },
        _ when type == typeof(bool) => new() { ["type"] = "boolean" },
        _ when type == typeof(int) => new() { ["type"] = "integer", ["format"] = "int32" },
        _ when type == typeof(long) => new() { ["type"] = "integer", ["format"] = "int64" },
        _ when type == typeof(double) => new() { ["type"] = "number", ["format"] = "double" },
        _ when type == typeof(DateTimeOffset) || type == typeof(DateTime) => new() { ["type"] = "string", ["format"] = "date-time" },
        _ when type == typeof(byte[]) => new() { ["type"] = "string", ["format"] = "byte" },
        _ when type == typeof(GoDuration) => new() { ["type"] = "string", ["maxLength"] = GoDuration.MaxLength, ["pattern"] = GoDuration.Pattern },
        _ when type == typeof(IntOrString) => IntegerOrString(),
        _ when type == typeof(ResourceQuantity) => Quantity(),
        _ => null,
    };

    private static JsonObject IntegerOrString() => new()
    {
        ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" }),
        ["x-kubernetes-int-or-string"] = true,
    };

    private static JsonObject Quantity()
    {
        var schema = IntegerOrString();
        schema["pattern"] = QuantityPattern;
        return schema;
    }

    private void Annotate(JsonObject schema, JsonPropertyInfo property, string where)
    {
        var member = property.AttributeProvider as MemberInfo ?? throw new SchemaException($"{where}: its attributes cannot be read.");
        schema["description"] = Attribute<DescriptionAttribute>(property)?.Description ?? docs.SummaryOf(member)
            ?? throw new SchemaException($"{where}: has no [Description].");
        if ((Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(int))
        {
            // API servers do not hold numbers to their format, and one number too large would make a whole list unreadable.
            (schema["minimum"], schema["maximum"]) = (int.MinValue, int.MaxValue);
        }

        if (member.DeclaringType!.Namespace == typeof(V1EnvVar).Namespace)
        {
            return;
        }

        if (Attribute<AllowedValuesAttribute>(property) is { } allowed)
        {
            schema["enum"] = new JsonArray(allowed.Values.Select(value => Literal(value, where)).ToArray());
        }

        if (Attribute<RegularExpressionAttribute>(property) is { } pattern)
        {
            schema["pattern"] = pattern.Pattern;
        }

        if (Attribute<StringLengthAttribute>(property) is { } length)
        {
            schema["maxLength"] = length.MaximumLength;
            if (length.MinimumLength > 0)
            {
                schema["minLength"] = length.MinimumLength;
            }
        }

        AddRange(schema, property, where);
        AddList(schema, property, where);
        AddDefault(schema, property, where);
        AddRules(schema, member.GetCustomAttributes<CelRuleAttribute>());
    }

    private static void AddRange(JsonObject schema, JsonPropertyInfo property, string where)
    {
        if (Attribute<RangeAttribute>(property) is not { } range)
        {
            return;
        }

        var (least, most) = (Literal(range.Minimum, where), Literal(range.Maximum, where));
        schema["minimum"] = least;
        if (range.MinimumIsExclusive)
        {
            schema["exclusiveMinimum"] = true;
        }

        if (range.Maximum is not double.MaxValue)
        {
            schema["maximum"] = most;
            if (range.MaximumIsExclusive)
            {
                schema["exclusiveMaximum"] = true;
            }
        }
    }

    private static void AddList(JsonObject schema, JsonPropertyInfo property, string where)
    {
        var isList = (string?)schema["type"] == "array";
        var (list, count) = (Attribute<ListTypeAttribute>(property), Attribute<ItemCountAttribute>(property));
        if (isList != list is not null || (count is not null && !isList))
        {
            throw new SchemaException(isList ? $"{where}: a list needs [ListType]." : $"{where}: is no list.");
        }

        if (list is not null)
        {
            schema["x-kubernetes-list-type"] = list.Type;
            if (list.Keys.Count > 0)
            {
                schema["x-kubernetes-list-map-keys"] = new JsonArray(list.Keys.Select(key => (JsonNode)key).ToArray());
            }
        }

        if (count is not null)
        {
            schema["maxItems"] = count.Maximum;
            if (count.Minimum > 0)
            {
                schema["minItems"] = count.Minimum;
            }
        }
    }

    private static void AddDefault(JsonObject schema, JsonPropertyInfo property, string where)
    {
        if (Attribute<DefaultValueAttribute>(property) is { } value)
        {
            if (value.Value is "")
            {
                throw new SchemaException($"{where}: an empty text as default is refused by API servers of old (1.20 takes it for null). Leave [DefaultValue] away.");
            }

            schema["default"] = value.Value is Array items
                ? new JsonArray(items.Cast<object>().Select(item => Literal(item, where)).ToArray())
                : Literal(value.Value, where);
        }
        else if (Attribute<DefaultEmptyObjectAttribute>(property) is not null)
        {
            schema["default"] = new JsonObject();
        }
    }

    private static void AddRules(JsonObject schema, IEnumerable<CelRuleAttribute> rules)
    {
        foreach (var rule in rules)
        {
            if (schema["x-kubernetes-validations"] is not JsonArray list)
            {
                schema["x-kubernetes-validations"] = list = [];
            }

            list.Add(new JsonObject { ["rule"] = rule.Rule, ["message"] = rule.Message });
        }
    }

    private static JsonNode Literal(object? value, string where) => value switch
    {
        string text => text,
        bool flag => flag,
        int number => number,
        long number => number,
        double number => number,
        Enum name => name.ToString(),
        _ => throw new SchemaException(string.Create(CultureInfo.InvariantCulture, $"{where}: the value {value ?? "null"} cannot be written into a schema.")),
    };

    private static JsonNode? Child(JsonNode node, string name)
    {
        var child = (node as JsonObject)?[name];
        (node as JsonObject)?.Remove(name);
        return child is JsonObject ? child : null;
    }

    private static JsonObject Ordered(JsonObject schema)
    {
        string[] first = ["description", "type", "format", "default", "enum"];
        string[] last = ["items", "additionalProperties", "required", "properties", "x-kubernetes-validations"];
        var keys = schema.Select(pair => pair.Key).ToList();
        var sorted = first.Where(keys.Contains).Concat(keys.Except(first).Except(last).Order(StringComparer.Ordinal)).Concat(last.Where(keys.Contains));
        var result = new JsonObject();
        foreach (var key in sorted.ToList())
        {
            var value = schema[key];
            schema.Remove(key);
            result[key] = value;
        }

        return result;
    }

    private static T? Attribute<T>(JsonPropertyInfo property)
        where T : Attribute =>
        property.AttributeProvider?.GetCustomAttributes(typeof(T), inherit: true).OfType<T>().SingleOrDefault();

    private static string NameOf(JsonPropertyInfo property) =>
        property.AttributeProvider is MemberInfo member ? $"{member.DeclaringType!.Name}.{member.Name}" : property.Name;
}
