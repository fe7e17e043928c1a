using System.Globalization;

namespace Rbac;

/// <summary>
/// A time in which a test took an operator's rights away with the rest of it, or in which an API server that had just started had not read
/// them yet: what is asked for then is denied, and proves nothing.
/// </summary>
/// <param name="User">Whose rights.</param>
/// <param name="From">From when on.</param>
/// <param name="To">Until when.</param>
public sealed record Withdrawal(string User, DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>Reads what tests noted beside the audit logs: files of lines <c>USER FROM TO</c>, with times as RFC 3339 has them.</summary>
    /// <param name="folder">The folder of the audit logs.</param>
    /// <exception cref="FormatException">A line is something else.</exception>
    public static IReadOnlyList<Withdrawal> ReadAll(string folder) =>
        [.. Directory.GetFiles(folder, "*.withdrawn").SelectMany(File.ReadLines).Where(line => line.Length > 0).Select(Parse)];

    /// <summary>Whether a request falls into it.</summary>
    public bool Covers(AuditedRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.User == User && request.At >= From && request.At <= To;
    }

    private static Withdrawal Parse(string line) =>
        line.Split(' ') is [var user, var from, var to] && TryTime(from, out var begin) && TryTime(to, out var end)
            ? new Withdrawal(user, begin, end)
            : throw new FormatException($"\"{line}\" is not USER FROM TO.");

    private static bool TryTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
}
