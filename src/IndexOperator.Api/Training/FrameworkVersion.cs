using System.Globalization;

namespace IndexOperator.Api.Training;

/// <summary>A framework's release as far as its rules differ: major and minor; the development branch is later than all.</summary>
/// <param name="Major">First number; <see cref="int.MaxValue"/> for <c>main</c>.</param>
/// <param name="Minor">Second number.</param>
internal readonly record struct FrameworkVersion(int Major, int Minor)
{
    private const string Main = "main";

    /// <summary>Whether the release is this one or later.</summary>
    public bool IsAtLeast(int major, int minor) => Major > major || (Major == major && Minor >= minor);

    /// <summary>
    /// Reads a release as its users write it: <c>0.12</c>, <c>0.12.3</c>, <c>core_v0.12.3</c>, <c>v2.4.0rc1</c>, <c>main</c>.
    /// </summary>
    /// <param name="framework">The framework's name, for the error.</param>
    /// <param name="text">What was written.</param>
    /// <param name="known">Minor releases whose rules are known.</param>
    /// <exception cref="TrainerRefusedException">No release, or not a known one.</exception>
    public static FrameworkVersion Parse(string framework, string text, params ReadOnlySpan<FrameworkVersion> known)
    {
        if (text == Main)
        {
            return new(int.MaxValue, 0);
        }

        var number = text.StartsWith("core_", StringComparison.Ordinal) ? text["core_".Length..] : text;
        var parts = number.TrimStart('v').Split('.');
        if (parts.Length >= 2 && TryParse(parts[0], out var major) && TryParse(Digits(parts[1]), out var minor) && known.Contains(new(major, minor)))
        {
            return new(major, minor);
        }

        throw new TrainerRefusedException(
            TrainerRefusal.VersionUnknown,
            "frameworkVersion",
            $"is \"{text}\", and its rules are not known. Use one of {string.Join(", ", known.ToArray().Select(version => $"{version.Major}.{version.Minor}"))}, {Main} of {framework}, or set dataset.samples instead of trainer.");
    }

    private static string Digits(string text) => string.Concat(text.TakeWhile(char.IsAsciiDigit));

    private static bool TryParse(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
