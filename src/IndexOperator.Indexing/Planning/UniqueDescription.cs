using System.Security.Cryptography;
using System.Text;

namespace IndexOperator.Indexing;

/// <summary>The ordered values that make up a key (<c>megatron_dataset.py</c> and <c>blended_dataset.py</c>).</summary>
internal static class UniqueDescription
{
    public static List<KeyValuePair<string, object?>> OfGptDataset(
        IndexRequest request,
        string prefix,
        Split split,
        long? numSamples,
        SplitMatrix? matrix,
        object? tokenizer) =>
    [
        new("class", request.DatasetClass),
        new("dataset_path", prefix),
        new("num_samples", numSamples),
        new("index_split", split.Name()),
        new("random_seed", request.RandomSeed),
        new("sequence_length", request.SequenceLength),
        new("split", matrix is null ? null : request.Split),
        new("split_matrix", matrix?.ToKeyValue()),
        new("tokenizer", tokenizer),
    ];

    public static List<KeyValuePair<string, object?>> OfBlendedDataset(
        IndexRequest request,
        Split split,
        IReadOnlyList<GptDatasetPlan> members,
        IEnumerable<object?> weights,
        long? size)
    {
        List<KeyValuePair<string, object?>> identity =
        [
            new("class", BlendedDatasetPlan.ClassName),
            new("datasets", members.Select(member => (object?)member.Identity).ToList()),
            new("split", split.Name()),
            new("weights", weights.ToList()),
            new("size", size),
        ];
        if (ReleaseRules.For(request.MegatronCore).HasRenormalizeOption)
        {
            identity.Add(new("renormalize_blend_weights", request.RenormalizeBlendWeights));
        }

        return identity;
    }

    /// <summary>Lower-case hex MD5: Megatron's naming, nothing that security rests on.</summary>
    public static string Hash(string description) =>
#pragma warning disable CA5351 // Megatron names its files by MD5.
        Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(description)));
#pragma warning restore CA5351
}
