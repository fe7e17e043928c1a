using System.Text.RegularExpressions;

namespace IndexOperator.Api;

/// <summary>Rules for paths in the spec that need no file system; links are checked where the files are.</summary>
public static partial class PathRules
{
    /// <summary>CEL, of an absolute path: no segment is empty, "." or "..". Short, as it is estimated for each entry of the longest blend.</summary>
    public const string PlainPathRule = "!self.matches('/[.]{0,2}(/|$)')";

    /// <summary>CEL, of a relative path or nothing.</summary>
    public const string PlainSubPathRule = "self == '' || !self.matches('(^|/)[.]{0,2}(/|$)')";

    /// <summary>An absolute path in plain form: no colon (Kubernetes forbids it), no dot segments, no trailing slash.</summary>
    public static IEnumerable<FieldError> MountPath(string field, string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            yield return new(field, "is missing. Write the absolute path at which training pods mount it.");
        }
        else if (!path.StartsWith('/') || path.Contains(':', StringComparison.Ordinal) || path.Length < 2 || path.EndsWith('/') || !IsPlain(path[1..]))
        {
            yield return new(field, $"\"{Clip(path)}\" is no plain absolute path. Write it without \".\", \"..\", \"//\", colon or trailing slash.");
        }
    }

    /// <summary>A relative path in plain form, or nothing.</summary>
    public static IEnumerable<FieldError> SubPath(string field, string? path)
    {
        if (!string.IsNullOrEmpty(path) && (path.StartsWith('/') || !IsPlain(path)))
        {
            yield return new(field, $"\"{Clip(path)}\" leaves the claim or is no plain relative path. Write a folder below the claim's root, without \".\" and \"..\".");
        }
    }

    /// <summary>A dataset's prefix: absolute, below the mount path, and nothing that Python would read as a number.</summary>
    public static IEnumerable<FieldError> Prefix(string field, string? prefix, string? mountPath)
    {
        if (string.IsNullOrWhiteSpace(prefix))
        {
            yield return new(field, "is missing. Write the path of the dataset without .bin/.idx.");
            yield break;
        }

        if (IsPythonFloat(prefix))
        {
            yield return new(field, $"\"{Clip(prefix)}\" reads as a number in Python: the training run would take it for a weight. Rename the dataset.");
            yield break;
        }

        if (prefix != prefix.Trim())
        {
            yield return new(field, $"\"{Clip(prefix)}\" begins or ends with a blank, which Megatron strips. Write it without.");
        }

        if (string.IsNullOrEmpty(mountPath) || !mountPath.StartsWith('/'))
        {
            yield break;
        }

        if (!prefix.StartsWith(mountPath + "/", StringComparison.Ordinal))
        {
            yield return new(field, $"\"{Clip(prefix)}\" is outside the data mount. Write a path below {mountPath}/, as the training run spells it.");
        }
        else if (!IsPlain(prefix[(mountPath.Length + 1)..]))
        {
            yield return new(field, $"\"{Clip(prefix)}\" climbs out of the data mount or is no plain path. Write it without \".\", \"..\" and \"//\".");
        }
        else if (prefix.EndsWith(".bin", StringComparison.Ordinal) || prefix.EndsWith(".idx", StringComparison.Ordinal))
        {
            yield return new(field, $"\"{Clip(prefix)}\" ends in .bin or .idx. Write the prefix without it.");
        }
    }

    /// <summary>True when every segment is a plain name: not empty, not "." or "..", without a NUL.</summary>
    public static bool IsPlain(string relative)
    {
        ArgumentNullException.ThrowIfNull(relative);
        return relative.Split('/').All(segment => segment is not ("" or "." or "..") && !segment.Contains('\0', StringComparison.Ordinal));
    }

    /// <summary>True when Python's <c>float()</c> would take the text (Megatron-Core's get_blend_from_list asks it of every second item).</summary>
    public static bool IsPythonFloat(string text) => PythonFloat().IsMatch(text);

    // Blanks around; digits (any script's) with single underscores between; inf, infinity and nan in any case. A run of digits
    // is atomic: a long one must not be tried in all its parts.
    [GeneratedRegex(@"^\s*[+-]?((?:(?>\d+(_\d+)*)(\.(?>\d+(_\d+)*)?)?|\.(?>\d+(_\d+)*))([eE][+-]?(?>\d+(_\d+)*))?|[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])\s*$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PythonFloat();

    private static string Clip(string text) => text.Length <= 200 ? text : string.Concat(text.AsSpan(0, 200), "…");
}
