namespace IndexOperator.Indexing;

/// <summary>Megatron's splits, in Megatron's order (<c>megatron/core/datasets/utils.py</c>, <c>Split</c>).</summary>
public enum Split
{
    /// <summary>Training data; spelled <c>train</c> in keys and file names.</summary>
    Train,

    /// <summary>Validation data; spelled <c>valid</c> in keys and file names.</summary>
    Valid,

    /// <summary>Test data; spelled <c>test</c> in keys and file names.</summary>
    Test,
}

/// <summary>The spelling of splits.</summary>
public static class SplitNames
{
    /// <summary>All splits in Megatron's order.</summary>
    public static IReadOnlyList<Split> All { get; } = [Split.Train, Split.Valid, Split.Test];

    /// <summary>The split's name as keys and file names spell it: <c>train</c>, <c>valid</c> or <c>test</c>.</summary>
    public static string Name(this Split split) => split switch
    {
        Split.Train => "train",
        Split.Valid => "valid",
        _ => "test",
    };

    /// <summary>Reads a split's name; <c>validation</c> is taken for <c>valid</c>. False when it is no split.</summary>
    public static bool TryParse(string text, out Split split)
    {
        (var known, split) = text switch
        {
            "train" => (true, Split.Train),
            "valid" or "validation" => (true, Split.Valid),
            "test" => (true, Split.Test),
            _ => (false, Split.Train),
        };
        return known;
    }
}
