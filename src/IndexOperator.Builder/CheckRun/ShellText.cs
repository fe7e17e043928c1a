using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>A word of a command line.</summary>
/// <param name="Text">The word, unquoted; what is not known in it is left as it was written.</param>
/// <param name="Unknown">The first variable or substitution in it whose value is not known; null when all is known.</param>
internal readonly record struct ShellWord(string Text, string? Unknown = null);

/// <summary>
/// Reads shell text as far as training scripts need it: quotes, continued lines, comments, <c>NAME=value</c>, arrays,
/// <c>$NAME</c>, <c>${NAME:-value}</c>, <c>${NAME[@]}</c>. Runs nothing: what a command would say stays unknown. Also
/// knows Kubernetes' <c>$(NAME)</c> where that name has a value.
/// </summary>
internal sealed class ShellText
{
    /// <summary>The longest text read, in characters.</summary>
    public const int MaxCharacters = 4 << 20;

    private readonly string _text;
    private readonly Dictionary<string, IReadOnlyList<ShellWord>> _variables;
    private readonly List<IReadOnlyList<ShellWord>> _commands = [];
    private readonly ShellWords _words = new();
    private int _at;

    private ShellText(string text, Dictionary<string, IReadOnlyList<ShellWord>> variables)
    {
        _text = text.Replace("\r\n", "\n", StringComparison.Ordinal);
        _variables = variables;
    }

    /// <summary>The commands of a text, each a list of words; assignments are carried out and not listed, unless a command follows them.</summary>
    /// <param name="text">The text.</param>
    /// <param name="environment">Variables that have a value.</param>
    /// <exception cref="IndexingException">InvalidSpec: longer than any script, or a quote is not closed.</exception>
    public static IReadOnlyList<IReadOnlyList<ShellWord>> Commands(string text, IReadOnlyDictionary<string, string> environment)
    {
        if (text.Length > MaxCharacters)
        {
            throw Unreadable($"has more than {MaxCharacters} characters");
        }

        var variables = environment.ToDictionary(variable => variable.Key, variable => (IReadOnlyList<ShellWord>)[new ShellWord(variable.Value)], StringComparer.Ordinal);
        var reader = new ShellText(text, variables);
        reader.Read();
        return reader._commands;
    }

    private void Read()
    {
        while (_at < _text.Length)
        {
            var c = _text[_at];
            if (c is ' ' or '\t')
            {
                _words.End();
                _at++;
            }
            else if (c == '#' && !_words.IsOpen)
            {
                _at = _text.IndexOf('\n', _at) is var end and >= 0 ? end : _text.Length;
            }
            else if (c is '\n' or ';' or '|' or '&')
            {
                EndCommand();
                _at++;
            }
            else if (c is '<' or '>')
            {
                SkipRedirection();
            }
            else if (c == '(' && _words.Open is { Length: > 1 } open && open[^1] == '=' && IsName(open.TrimEnd('=').TrimEnd('+')))
            {
                ReadArray();
            }
            else if (c is '(' or ')')
            {
                EndCommand();
                _at++;
            }
            else
            {
                ReadPart();
            }
        }

        EndCommand();
    }

    /// <summary>One character, quotation, escape or variable of a word.</summary>
    private void ReadPart()
    {
        var c = _text[_at];
        switch (c)
        {
            case '\\':
                if (_at + 1 < _text.Length && _text[_at + 1] != '\n')
                {
                    _words.Add(_text[_at + 1]);
                }

                _at += 2;
                break;
            case '\'':
                var close = _text.IndexOf('\'', _at + 1) is var end and >= 0 ? end : throw Unreadable("has a single quote that is not closed");
                _words.Add(_text.AsSpan(_at + 1, close - _at - 1));
                _at = close + 1;
                break;
            case '"':
                ReadQuoted();
                break;
            case '$' or '`':
                Expand(isQuoted: false);
                break;
            default:
                _words.Add(c);
                _at++;
                break;
        }
    }

    private void ReadQuoted()
    {
        _words.Add("");
        for (_at++; _at < _text.Length && _text[_at] != '"';)
        {
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
            {
                if (_text[_at + 1] is not ('"' or '\\' or '$' or '`' or '\n'))
                {
                    _words.Add('\\');
                }

                if (_text[_at + 1] != '\n')
                {
                    _words.Add(_text[_at + 1]);
                }

                _at += 2;
            }
            else if (_text[_at] is '$' or '`')
            {
                Expand(isQuoted: true);
            }
            else
            {
                _words.Add(_text[_at++]);
            }
        }

        _at = _at < _text.Length ? _at + 1 : throw Unreadable("has a double quote that is not closed");
    }

    private void Expand(bool isQuoted)
    {
        var (source, name, standard, isArray) = ShellVariable.Read(_text, _at);
        _at += source.Length;
        if (name is not null && _variables.TryGetValue(name, out var values))
        {
            AddValues(values, isQuoted, isArray);
        }
        else if (standard is not null)
        {
            AddValues([new ShellWord(standard)], isQuoted, isArray: false);
        }
        else
        {
            _words.Add(source);
            _words.MarkUnknown(source.Length == 1 ? null : source);
        }
    }

    private void AddValues(IReadOnlyList<ShellWord> values, bool isQuoted, bool isArray)
    {
        for (var i = 0; i < (isArray ? values.Count : Math.Min(1, values.Count)); i++)
        {
            if (i > 0)
            {
                _words.End();
            }

            if (isQuoted)
            {
                _words.Add(values[i].Text);
                _words.MarkUnknown(values[i].Unknown);
                continue;
            }

            // Unquoted, a value falls apart at its blanks.
            var parts = values[i].Text.Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
            for (var part = 0; part < parts.Length; part++)
            {
                if (part > 0)
                {
                    _words.End();
                }

                _words.Add(parts[part]);
                _words.MarkUnknown(values[i].Unknown);
            }
        }
    }

    private void ReadArray()
    {
        var name = _words.Open.TrimEnd('=');
        _words.Clear();
        var outer = _words.Take();
        for (_at++; _at < _text.Length && _text[_at] != ')';)
        {
            if (char.IsWhiteSpace(_text[_at]))
            {
                _words.End();
                _at++;
            }
            else if (_text[_at] == '#' && !_words.IsOpen)
            {
                _at = _text.IndexOf('\n', _at) is var end and >= 0 ? end : _text.Length;
            }
            else
            {
                ReadPart();
            }
        }

        _words.End();
        _at++;
        Set(name, _words.Take());
        _words.Restore(outer);
    }

    private void Set(string name, IReadOnlyList<ShellWord> values)
    {
        if (name.EndsWith('+'))
        {
            name = name[..^1];
            values = [.. _variables.GetValueOrDefault(name, []), .. values];
        }

        _variables[name] = values;
    }

    /// <summary>A redirection and the file that it names are no arguments.</summary>
    private void SkipRedirection()
    {
        if (_words.Open.All(char.IsAsciiDigit))
        {
            _words.Clear();
        }

        _words.End();
        while (_at < _text.Length && _text[_at] is '<' or '>' or '&' or ' ' or '\t')
        {
            _at++;
        }

        var before = _words.Count;
        while (_at < _text.Length && _text[_at] is not (' ' or '\t' or '\n' or ';' or '|' or '&' or '<' or '>' or '(' or ')'))
        {
            ReadPart();
        }

        _words.End();
        _words.Cut(before);
    }

    private void EndCommand()
    {
        _words.End();
        var words = _words.Take();
        if (words is [{ Text: "export" or "declare" or "local" or "readonly" }, ..])
        {
            words.RemoveAt(0);
        }

        if (words.Count > 0 && words.TrueForAll(word => Assignment(word.Text) is not null))
        {
            foreach (var word in words)
            {
                var (name, value) = Assignment(word.Text)!.Value;
                Set(name, [new ShellWord(value, word.Unknown)]);
            }
        }
        else if (words.Count > 0)
        {
            _commands.Add(words);
        }
    }

    /// <summary>The two sides of <c>NAME=value</c>; null when the word is no assignment.</summary>
    internal static (string Name, string Value)? Assignment(string word)
    {
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && IsName(word[..equals].TrimEnd('+')) ? (word[..equals], word[(equals + 1)..]) : null;
    }

    internal static bool IsName(string text) => text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    internal static IndexingException Unreadable(string why) =>
        new(FailureReason.InvalidSpec, $"The command line {why}. Give the command that starts the training, or the script that does.");
}
