namespace IndexOperator.Indexing;

/// <summary>The token types of an <c>.idx</c> file (<c>megatron/core/datasets/indexed_dataset.py</c>, <c>DType</c>).</summary>
/// <param name="Code">The code in the header, 1 to 8.</param>
/// <param name="Name">numpy's name of the type.</param>
/// <param name="ItemSize">Bytes of a token.</param>
public sealed record TokenType(byte Code, string Name, int ItemSize)
{
    private static readonly TokenType[] All =
    [
        new(1, "uint8", 1),
        new(2, "int8", 1),
        new(3, "int16", 2),
        new(4, "int32", 4),
        new(5, "int64", 8),
        new(6, "float64", 8),
        new(7, "float32", 4),
        new(8, "uint16", 2),
    ];

    /// <summary>The type with a code, or null when there is none.</summary>
    public static TokenType? FromCode(byte code) => Array.Find(All, type => type.Code == code);
}
