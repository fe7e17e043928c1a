using System.Globalization;
using IndexOperator.Indexing;
using BlendEntry = IndexOperator.Api.BlendEntry;

namespace IndexOperator.Builder.CheckRun;

/// <summary>The list of weights and prefixes that all three frameworks take (<c>megatron/core/datasets/utils.py</c>, <c>get_blend_from_list</c>).</summary>
internal static class PathList
{
    /// <summary>Reads a list: weights and prefixes in turn when every other item is a number, else prefixes.</summary>
    /// <param name="items">The list.</param>
    /// <param name="name">The argument, for errors.</param>
    /// <exception cref="IndexingException">InvalidSpec: it is empty, or numbers and names mix in a way that Megatron refuses or misreads.</exception>
    public static IReadOnlyList<BlendEntry> Parse(IReadOnlyList<string> items, string name)
    {
        if (items.Count == 0)
        {
            throw Refused(name, "is an empty list, which Megatron does not take.");
        }

        var even = items.Where((_, i) => i % 2 == 0).ToList();
        var numbers = even.Count(PythonFloat.IsNumber);
        if (items.Count % 2 == 1 || numbers == 0)
        {
            return [.. items.Select(item => new BlendEntry { Prefix = Prefix(item, name) })];
        }

        if (numbers < even.Count)
        {
            throw Refused(name, $"has a number where it has names elsewhere ({string.Join(' ', items.Take(6))}): Megatron refuses that, or takes the number for a dataset. Give every dataset a weight, or none.");
        }

        return [.. even.Select((weight, i) => new BlendEntry { Weight = Weight(weight, name), Prefix = Prefix(items[(2 * i) + 1], name) })];
    }

    /// <summary>A blend on one line: the first few members.</summary>
    public static string Describe(IReadOnlyList<BlendEntry>? entries)
    {
        const int Shown = 4;
        if (entries is null)
        {
            return "(none)";
        }

        var members = entries.Take(Shown).Select(entry => (entry.Weight is { } weight ? PythonFloat.Repr(weight) + " " : "") + entry.Prefix);
        return string.Join(", ", members) + (entries.Count > Shown ? $", and {entries.Count - Shown} more" : "");
    }

    private static string Prefix(string item, string name) => item.Trim() is { Length: > 0 } prefix ? prefix : throw Refused(name, "has an empty item.");

    private static double Weight(string text, string name) =>
        double.TryParse(text.Trim().Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) && double.IsFinite(weight)
            ? weight
            : throw Refused(name, $"has the weight {text}, which is no finite number in plain digits. Write it as 0.3.");

    private static IndexingException Refused(string name, string why) => new(FailureReason.InvalidSpec, $"The run's {name} {why}");
}
