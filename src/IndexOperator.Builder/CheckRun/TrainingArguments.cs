using System.Globalization;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>
/// The arguments of a Megatron-LM script as argparse reads them there: whole names only, <c>--name value</c> and
/// <c>--name=value</c>, lists that go on until the next name, the last of several counts.
/// </summary>
internal sealed class TrainingArguments
{
    private static readonly HashSet<string> Switches = new(StringComparer.Ordinal)
    {
        "--mock-data", "--full-validation", "--multiple-validation-sets", "--skip-train", "--sft", "--fim-data", "--dataloader-fast-cache-load",
        "--dataloader-defer-npy-index-mmap", "--no-mmap-bin-files", "--trust-remote-code", "--tokenizer-hf-no-use-fast",
        "--tokenizer-hf-no-include-special-tokens", "--legacy-tokenizer", "--use-gigatoken", "--perform-rl-step",
    };

    private static readonly HashSet<string> Lists = new(StringComparer.Ordinal)
    {
        "--data-path", "--train-data-path", "--valid-data-path", "--test-data-path", "--tokenizer-special-tokens", "--special-tokens",
    };

    private readonly Dictionary<string, IReadOnlyList<ShellWord>> _values = new(StringComparer.Ordinal);
    private readonly List<string> _strays = [];

    public TrainingArguments(IEnumerable<ShellWord> words)
    {
        string? name = null;
        var values = new List<ShellWord>();
        foreach (var word in words)
        {
            if (!IsName(word.Text))
            {
                // Behind a whole value, an unknown variable more likely holds further arguments than a second value.
                if (name is null || Switches.Contains(name) || (word.Unknown is not null && values.Count > 0 && !Lists.Contains(name)))
                {
                    _strays.Add(word.Text);
                }
                else
                {
                    values.Add(word);
                }

                continue;
            }

            End(name, values);
            var equals = word.Text.IndexOf('=', StringComparison.Ordinal);
            name = equals < 0 ? word.Text : word.Text[..equals];
            values = equals < 0 ? [] : [word with { Text = word.Text[(equals + 1)..] }];
            if (equals >= 0)
            {
                End(name, values);
                (name, values) = (null, []);
            }
        }

        End(name, values);
    }

    /// <summary>Names in the order of the command line.</summary>
    public IEnumerable<string> Names => _values.Keys;

    /// <summary>Words that belong to no name and are not known: they may stand for arguments.</summary>
    public IEnumerable<string> Strays => _strays.Where(word => word.Contains('$', StringComparison.Ordinal) || word.Contains('`', StringComparison.Ordinal));

    /// <summary>Whether a name is given.</summary>
    public bool Has(string name) => _values.ContainsKey(name);

    /// <summary>All values of a name; null when it is not given.</summary>
    /// <exception cref="IndexingException">InvalidSpec: a value is not known.</exception>
    public IReadOnlyList<string>? List(string name)
    {
        if (!_values.TryGetValue(name, out var values))
        {
            return null;
        }

        return [.. values.Select(value => value.Unknown is null ? value.Text : throw Unknown(name, value.Unknown))];
    }

    /// <summary>The value of a name; null when it is not given.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it has none or several, or it is not known.</exception>
    public string? Text(string name) => List(name) switch
    {
        null => null,
        [var value] => value,
        { Count: 0 } => throw new IndexingException(FailureReason.InvalidSpec, $"{name} has no value on the command line. Give the whole command."),

        // argparse would refuse the second; scripts with stray words after a value exist, so it is only told where it matters.
        var several => throw new IndexingException(FailureReason.InvalidSpec, $"{name} has {several.Count} values ({string.Join(' ', several.Take(4))}) and takes one. Quote it as the script does."),
    };

    /// <summary>The whole number of a name, as Python's <c>int</c> reads it; null when it is not given.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is none.</exception>
    public long? Whole(string name) => Text(name) is { } text ? Whole(name, text) : null;

    /// <summary>The number of a name; null when it is not given.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is none.</exception>
    public double? Number(string name) => Text(name) is not { } text ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number
        : throw new IndexingException(FailureReason.InvalidSpec, $"{name} {text} is no number.");

    internal static long Whole(string name, string text)
    {
        // 1_000 is a whole number to Python, 1e3 is not.
        var digits = text.Trim();
        var plain = digits.Replace("_", "", StringComparison.Ordinal);
        return !digits.StartsWith('_') && !digits.EndsWith('_') && !digits.Contains("__", StringComparison.Ordinal)
            && long.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new IndexingException(FailureReason.InvalidSpec, $"{name} {text} is no whole number of 64 bits: argparse refuses it (\"invalid int value\").");
    }

    internal static IndexingException Unknown(string name, string variable) => new(
        FailureReason.InvalidSpec,
        $"{name} is {variable} on the command line, and what that holds is not known here. Give it: --env {(ShellText.IsName(variable.Trim('$', '{', '}')) ? variable.Trim('$', '{', '}') : "NAME")}=VALUE, or write the value.");

    private static bool IsName(string word) => word.StartsWith('-') && word.Length > 1 && !char.IsAsciiDigit(word[1]) && word[1] != '.';

    private void End(string? name, IReadOnlyList<ShellWord> values)
    {
        if (name is not null)
        {
            _values[name] = values;
        }
    }
}
