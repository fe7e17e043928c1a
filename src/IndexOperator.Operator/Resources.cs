using IndexOperator.Api;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>Where the operator's own resource lives on the API server.</summary>
public static class Resources
{
    /// <summary>PretrainIndexes.</summary>
    public static ResourceType<PretrainIndex> PretrainIndexes { get; } = new(
        PretrainIndex.GroupName, PretrainIndex.Version, PretrainIndex.KindName, PretrainIndex.Plural, ApiJsonContext.Default.PretrainIndex);
}
