namespace IndexOperator.Builder.CheckRun;

/// <summary>Finds what a <c>$</c> or a backquote begins in shell text.</summary>
internal static class ShellVariable
{
    /// <summary>Reads what begins at a place.</summary>
    /// <returns>All of it as written; the variable's name, null for anything else; the value that stands in for a missing one; whether all values of an array are meant.</returns>
    public static (string Source, string? Name, string? Standard, bool IsArray) Read(string text, int at)
    {
        if (text[at] == '`')
        {
            return (text[at..Until(text, at + 1, '`')], null, null, false);
        }

        var next = at + 1 < text.Length ? text[at + 1] : ' ';
        if (next == '{')
        {
            var braced = text[at..Closing(text, at + 1, '{', '}')];
            return Braced(braced);
        }

        if (next == '(')
        {
            var source = text[at..Closing(text, at + 1, '(', ')')];
            var inner = source.Length > 3 ? source[2..^1] : "";

            // Kubernetes writes variables so in args. A command of that name would be unusual.
            return (source, ShellText.IsName(inner) ? inner : null, null, false);
        }

        var end = at + 1;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_') && !(end == at + 2 && char.IsAsciiDigit(text[at + 1])))
        {
            end++;
        }

        if (end > at + 1)
        {
            return (text[at..end], text[(at + 1)..end], null, false);
        }

        // $@, $*, $?, $#: the script's own arguments and the like; anything else is a plain dollar.
        return next is '@' or '*' or '?' or '#' or '$' or '!' ? (text.Substring(at, 2), null, null, false) : ("$", null, null, false);
    }

    private static (string Source, string? Name, string? Standard, bool IsArray) Braced(string source)
    {
        var inner = source.Length > 3 ? source[2..^1] : "";
        var length = inner.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c == '_').Count();
        var (name, rest) = (inner[..length], inner[length..]);
        if (length == 0)
        {
            return (source, null, null, false);
        }

        return rest switch
        {
            "" => (source, name, null, false),
            "[@]" or "[*]" => (source, name, null, true),
            _ when rest.StartsWith(":-", StringComparison.Ordinal) && !rest.Contains('$', StringComparison.Ordinal) => (source, name, rest[2..].Trim('"', '\''), false),
            _ when rest.StartsWith('-') && !rest.Contains('$', StringComparison.Ordinal) => (source, name, rest[1..].Trim('"', '\''), false),
            _ when rest.StartsWith(":-", StringComparison.Ordinal) || rest.StartsWith(":?", StringComparison.Ordinal) || rest.StartsWith('-') => (source, name, null, false),
            _ => (source, null, null, false),
        };
    }

    private static int Until(string text, int from, char end) => from < text.Length && text.IndexOf(end, from) is var found and >= 0 ? found + 1 : text.Length;

    /// <summary>The place after the bracket that closes the one at a place.</summary>
    private static int Closing(string text, int open, char begin, char end)
    {
        var depth = 0;
        for (var i = open; i < text.Length; i++)
        {
            depth += text[i] == begin ? 1 : text[i] == end ? -1 : 0;
            if (depth == 0)
            {
                return i + 1;
            }
        }

        return text.Length;
    }
}
