using System.Globalization;
using System.Text;

namespace IndexOperator.Planning;

/// <summary>
/// Shortens text for a person. Never between the two halves of a surrogate pair: JSON writes half a pair as U+FFFD, so the text would
/// read back differently from what was planned, and each pass would take it for news.
/// </summary>
public static class Clip
{
    private const string Ellipsis = "…";

    /// <summary>
    /// The text with blanks in place of what a terminal obeys (control characters, and those that turn the writing direction): what a pod
    /// says ends up on terminals, by `kubectl describe`.
    /// </summary>
    public static string Plain(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Any(IsObeyed) ? string.Concat(text.Select(character => IsObeyed(character) ? ' ' : character)).Trim() : text;
    }

    private static bool IsObeyed(char character) =>
        char.GetUnicodeCategory(character) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>The text with a full stop, where it does not end like a sentence already: another one follows.</summary>
    public static string Sentence(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.TrimEnd() is [.., '.' or '!' or '?' or '…'] ended ? ended : text.TrimEnd() + ".";
    }

    /// <summary>At most so many characters and an ellipsis.</summary>
    public static string Characters(string text, int most)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length <= most)
        {
            return text;
        }

        return string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[most - 1]) ? most - 1 : most), Ellipsis);
    }

    /// <summary>An ellipsis and at most so many characters from the end.</summary>
    public static string Tail(string text, int most)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length <= most)
        {
            return text;
        }

        return string.Concat(Ellipsis, text.AsSpan(char.IsLowSurrogate(text[^most]) ? text.Length - most + 1 : text.Length - most));
    }

    /// <summary>At most so many bytes of UTF-8, the ellipsis included.</summary>
    public static string Bytes(string text, int most)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Encoding.UTF8.GetByteCount(text) <= most)
        {
            return text;
        }

        var left = most - Encoding.UTF8.GetByteCount(Ellipsis);
        var kept = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            left -= rune.Utf8SequenceLength;
            if (left < 0)
            {
                break;
            }

            kept += rune.Utf16SequenceLength;
        }

        return string.Concat(text.AsSpan(0, kept), Ellipsis);
    }
}
