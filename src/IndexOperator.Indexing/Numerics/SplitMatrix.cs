using System.Text.RegularExpressions;

namespace IndexOperator.Indexing;

/// <summary>
/// The text of a split turned into ranges, step for step as Megatron does it (<c>blended_megatron_dataset_config.py</c>,
/// <c>parse_and_normalize_split</c> and <c>convert_split_vector_to_split_matrix</c>).
/// </summary>
public sealed partial class SplitMatrix
{
    private readonly (double Begin, double End)?[] _ranges;
    private readonly bool _beginsWithInteger;

    private SplitMatrix((double Begin, double End)?[] ranges, bool beginsWithInteger)
    {
        _ranges = ranges;
        _beginsWithInteger = beginsWithInteger;
    }

    /// <summary>The matrix of a blend per split: every split has its whole files.</summary>
    public static SplitMatrix Whole { get; } = new([(0.0, 1.0), (0.0, 1.0), (0.0, 1.0)], beginsWithInteger: false);

    /// <summary>Parses a split text: its numbers, up to three, as shares of their sum; signs and exponents are not seen.</summary>
    /// <param name="text">The split as the training run spells it.</param>
    /// <param name="data">What it divides, for the error.</param>
    /// <exception cref="IndexingException">InvalidSpec: no usable numbers.</exception>
    public static SplitMatrix Parse(string text, string data = "the data")
    {
        var shares = new List<double>();
        foreach (Match match in Numbers().Matches(text))
        {
            if (!PythonFloat.TryParseDigits(match.Value, out var share))
            {
                throw Invalid(text, data, $"\"{match.Value}\" is no number");
            }

            shares.Add(share);
        }

        if (shares.Count > 3)
        {
            throw Invalid(text, data, $"it has {shares.Count} numbers, and there are three splits");
        }

        while (shares.Count < 3)
        {
            shares.Add(0.0);
        }

        var normalized = NumpySum.Normalize(shares.ToArray());
        if (!normalized.All(double.IsFinite))
        {
            throw Invalid(text, data, "its numbers do not add up to more than zero");
        }

        // Megatron's running sum begins with the integer 0, which prints without a decimal point.
        var ranges = new (double, double)?[3];
        var begin = 0.0;
        for (var i = 0; i < 3; i++)
        {
            var end = begin + normalized[i];
            ranges[i] = end <= begin ? null : (begin, end);
            begin = end;
        }

        return new SplitMatrix(ranges, beginsWithInteger: true);
    }

    /// <summary>Whether the split has a share, and so a dataset.</summary>
    public bool Has(Split split) => _ranges[(int)split] is not null;

    /// <summary>
    /// The sequences [begin, end) of a split over <paramref name="count"/> sequences, rounded half to even; may be empty.
    /// </summary>
    public (long Begin, long End) Range(Split split, long count)
    {
        var (begin, end) = _ranges[(int)split] ?? (0.0, 0.0);
        return (Round(begin, count), Round(end, count));
    }

    /// <summary>The value that stands for the matrix in a key.</summary>
    internal List<object?> ToKeyValue()
    {
        var rows = new List<object?>();
        for (var i = 0; i < _ranges.Length; i++)
        {
            rows.Add(_ranges[i] is var (begin, end)
                ? new List<object?> { i == 0 && _beginsWithInteger ? (object)0L : begin, end }
                : null);
        }

        return rows;
    }

    private static long Round(double share, long count) =>
        Math.Min(count, (long)Math.Round(share * count, MidpointRounding.ToEven));

    private static IndexingException Invalid(string text, string data, string cause) => new(
        FailureReason.InvalidSpec,
        $"split \"{text}\" of {data} cannot be used: {cause}. Give the shares of train, validation and test, for example \"900,50,50\".");

    [GeneratedRegex("[.0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();
}
