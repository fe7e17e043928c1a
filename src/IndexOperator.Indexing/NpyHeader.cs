using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace IndexOperator.Indexing;

/// <summary>
/// Headers of <c>.npy</c> files, version 1.0, as every numpy since 1.14 writes them for arrays of one or two dimensions
/// of up to 10^17 rows: 128 bytes in all.
/// </summary>
/// <param name="Dtype">Type text such as <c>&lt;i4</c>.</param>
/// <param name="Shape">Length of each dimension.</param>
public sealed partial record NpyHeader(string Dtype, IReadOnlyList<long> Shape)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 128;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];

    /// <summary>Items in the array.</summary>
    public long Items => Shape.Aggregate(1L, (items, length) => items * length);

    /// <summary>Bytes of one item of a type that index caches use.</summary>
    /// <exception cref="ArgumentException">The type is none of those.</exception>
    public static long ItemSize(string dtype) => dtype switch
    {
        "<i2" => 2,
        "<i4" or "<u4" => 4,
        "<i8" => 8,
        _ => throw new ArgumentException($"No index has the type {dtype}.", nameof(dtype)),
    };

    /// <summary>The header's 128 bytes.</summary>
    public byte[] ToBytes()
    {
        var shape = string.Join(", ", Shape.Select(length => length.ToString(CultureInfo.InvariantCulture))) + (Shape.Count == 1 ? "," : "");
        var text = $"{{'descr': '{Dtype}', 'fortran_order': False, 'shape': ({shape}), }}";
        var bytes = new byte[Size];
        Magic.CopyTo(bytes);
        bytes[8] = Size - 10;
        bytes.AsSpan(10).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(10));
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    /// <summary>Reads a header; null when the bytes are no header of a kind that Megatron's caches have.</summary>
    public static NpyHeader? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size || !bytes[..Magic.Length].SequenceEqual(Magic) || bytes[8] != Size - 10 || bytes[9] != 0)
        {
            return null;
        }

        var match = Text().Match(Encoding.ASCII.GetString(bytes[10..Size]));
        if (!match.Success)
        {
            return null;
        }

        var shape = new List<long>();
        foreach (var part in match.Groups["shape"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > long.MaxValue / 64)
            {
                return null;
            }

            shape.Add(length);
        }

        return shape.Count is 1 || (shape.Count == 2 && shape[1] == 2) ? new NpyHeader(match.Groups["dtype"].Value, shape) : null;
    }

    [GeneratedRegex(@"^\{'descr': '(?<dtype><i2|<i4|<u4|<i8)', 'fortran_order': False, 'shape': \((?<shape>[0-9, ]*)\), \} *\n$", RegexOptions.CultureInvariant)]
    private static partial Regex Text();
}
