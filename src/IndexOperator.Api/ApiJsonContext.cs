using System.Text.Json;
using System.Text.Json.Serialization;

namespace IndexOperator.Api;

/// <summary>Source-generated JSON of the resource and of what builder and operator tell each other.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict,
    PropertyNameCaseInsensitive = false)]
[JsonSerializable(typeof(PretrainIndex))]
[JsonSerializable(typeof(PretrainIndexList))]
[JsonSerializable(typeof(BuildReport))]
[JsonSerializable(typeof(BuildProgressLine))]
public sealed partial class ApiJsonContext : JsonSerializerContext
{
    /// <summary>As <see cref="Default"/>, but a field that the schema does not know is an error (for files written by people).</summary>
    public static ApiJsonContext Strict => LazyStrict.Value;

    // Lazy: the generated Default lives in another part of this class and may be initialised later than a static field here.
    private static readonly Lazy<ApiJsonContext> LazyStrict = new(() => new ApiJsonContext(new JsonSerializerOptions(Default!.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    }));
}
