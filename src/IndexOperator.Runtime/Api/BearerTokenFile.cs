using System.Net.Http.Headers;

namespace IndexOperator.Runtime;

/// <summary>
/// The token that the kubelet keeps fresh in a file. A file that cannot be read for a moment leaves the last token in
/// use: it is valid for minutes more.
/// </summary>
internal sealed class BearerTokenFile(string path, TimeProvider time)
{
    private static readonly TimeSpan RereadInterval = TimeSpan.FromMinutes(1);
    private volatile Entry? _entry;

    public async ValueTask<AuthenticationHeaderValue> GetAsync(CancellationToken cancellationToken)
    {
        var entry = _entry;
        if (entry is { IsStale: false } && time.GetElapsedTime(entry.ReadAt) < RereadInterval)
        {
            return entry.Header;
        }

        try
        {
            var token = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
            entry = new Entry(new AuthenticationHeaderValue("Bearer", token), time.GetTimestamp(), IsStale: false);
            _entry = entry;
        }
        catch (Exception e) when (entry is not null && e is IOException or UnauthorizedAccessException)
        {
            return entry!.Header;
        }

        return entry.Header;
    }

    /// <summary>The server refused the token: read the file again before the next request.</summary>
    public void Invalidate()
    {
        if (_entry is { } entry)
        {
            _entry = entry with { IsStale = true };
        }
    }

    private sealed record Entry(AuthenticationHeaderValue Header, long ReadAt, bool IsStale);
}
