using System.Globalization;
using System.Text;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>
/// Reads what the kubelet makes of a pod's annotations or labels: a line <c>key="value"</c> each, the value quoted as Go's
/// <c>strconv.Quote</c> does, so that no value can feign a line of its own. The kubelet replaces the file by renaming a
/// link, never in place: opened by its path it is whole, and an open one is of the past.
/// </summary>
public static class AnnotationsFile
{
    /// <summary>The longest file read: the API server takes 256 KiB of annotations, and quoting makes at most four characters of a byte.</summary>
    public const int MaxBytes = 2 << 20;

    /// <summary>The file's text; null when it is not there (yet).</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is a directory or longer than any such file. A storage reason: it cannot be read.</exception>
    public static string? Read(string path)
    {
        if (Directory.Exists(path))
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"{path} is a directory. Name the file in it that the downward API makes of metadata.annotations.");
        }

        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var bytes = new byte[(int)Math.Min(MaxBytes, file.Length) + 1];
            var filled = 0;
            for (int read; filled < bytes.Length && (read = file.Read(bytes, filled, bytes.Length - filled)) > 0; filled += read)
            {
            }

            return filled <= MaxBytes
                ? Encoding.UTF8.GetString(bytes, 0, filled)
                : throw new IndexingException(FailureReason.InvalidSpec, $"{path} has more than {MaxBytes} bytes, more than the annotations of any pod. Name the downward API's file of metadata.annotations.");
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {path}", isWrite: false);
        }
    }

    /// <summary>The value of a key; null when no line has it, or what follows it is not quoted as Go does.</summary>
    public static string? Find(string text, string key)
    {
        ArgumentNullException.ThrowIfNull(text);

        // Lines end in \n only: the framework's own enumerator ends them at letters too that Go leaves as they are.
        foreach (var range in text.AsSpan().Split('\n'))
        {
            var line = text.AsSpan(range);
            if (line.StartsWith(key, StringComparison.Ordinal) && line.Length > key.Length && line[key.Length] == '=')
            {
                return Unquote(line[(key.Length + 1)..]);
            }
        }

        return null;
    }

    /// <summary>Undoes Go's <c>strconv.Quote</c>; null when the text is not what it makes.</summary>
    public static string? Unquote(ReadOnlySpan<char> quoted)
    {
        if (quoted.Length < 2 || quoted[0] != '"' || quoted[^1] != '"')
        {
            return null;
        }

        var rest = quoted[1..^1];
        var value = new StringBuilder(rest.Length);
        while (rest.Length > 0)
        {
            var plain = rest.IndexOfAny('\\', '"');
            if (plain < 0)
            {
                return value.Append(rest).ToString();
            }

            value.Append(rest[..plain]);
            if (rest[plain] == '"' || !TryEscape(rest[(plain + 1)..], value, out var length))
            {
                return null;
            }

            rest = rest[(plain + 1 + length)..];
        }

        return value.ToString();
    }

    private static bool TryEscape(ReadOnlySpan<char> text, StringBuilder value, out int length)
    {
        length = 1;
        if (text.Length == 0)
        {
            return false;
        }

        var simple = "abfnrtv\\\"".IndexOf(text[0], StringComparison.Ordinal);
        if (simple >= 0)
        {
            value.Append("\a\b\f\n\r\t\v\\\""[simple]);
            return true;
        }

        // \x stands for a byte that is no UTF-8: it is shown as what such bytes are shown as.
        var digits = text[0] switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits == 0 || text.Length <= digits || !TryHex(text.Slice(1, digits), out var code))
        {
            return false;
        }

        value.Append(digits > 2 && Rune.IsValid(code) ? new Rune(code).ToString() : "\uFFFD");
        length = 1 + digits;
        return true;
    }

    private static bool TryHex(ReadOnlySpan<char> digits, out uint code) =>
        uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code);
}
