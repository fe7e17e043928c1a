using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>Whether the operator takes its gate off jobs that Kueue holds.</summary>
public enum KueueMode
{
    /// <summary>Where the API server has Workloads, and the operator may read them, when it starts.</summary>
    Auto,

    /// <summary>Always: the operator does not start where it cannot.</summary>
    On,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>Looks for Kueue once, when the operator starts.</summary>
public static class KueueDiscovery
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>The version of Kueue's API to use; null for none. Asks again until the API server answers.</summary>
    /// <exception cref="InvalidOperationException">It must be there and is not, or may not be read.</exception>
    public static async Task<string?> FindAsync(ApiClient client, KueueMode mode, IReadOnlyList<string> namespaces, TimeProvider time, Action<string> say, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(namespaces);
        ArgumentNullException.ThrowIfNull(say);
        if (mode == KueueMode.Off)
        {
            return null;
        }

        var isForbidden = false;
        foreach (var version in KueueResources.Versions)
        {
            switch (await AskAsync(client, version, namespaces.Count > 0 ? namespaces[0] : null, time, say, cancellationToken))
            {
                case Answer.Served:
                    return version;
                case Answer.Forbidden:
                    isForbidden = true;
                    break;
            }
        }

        // What is not served is forbidden too, where no role names it: only a role tells the two apart.
        var why = isForbidden ? "this operator may not list Workloads: kubectl apply -k config/kueue" : "the API server has none";
        return mode == KueueMode.Auto ? null : throw new InvalidOperationException($"--kueue on, and Workloads of {KueueResources.Group} cannot be read: {why}.");
    }

    private static async Task<Answer> AskAsync(ApiClient client, string version, string? ns, TimeProvider time, Action<string> say, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (!await client.MayAsync("list", KueueResources.Workloads(version), new ObjectKey(ns ?? "", ""), cancellationToken))
                {
                    return Answer.Forbidden;
                }

                await foreach (var _ in client.ListPagesAsync(KueueResources.Workloads(version), new ListQuery { Namespace = ns, Limit = 1 }, cancellationToken))
                {
                    break;
                }

                return Answer.Served;
            }
            catch (ApiException error) when (error.IsNotFound || error.IsForbidden)
            {
                return error.IsForbidden ? Answer.Forbidden : Answer.Absent;
            }
            catch (Exception error) when (error is ApiException or HttpRequestException or IOException or TimeoutException)
            {
                say($"The API server does not say whether it has {KueueResources.Group}/{version}, and is asked again: {error.Message}");
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    private enum Answer
    {
        Served,
        Absent,
        Forbidden,
    }
}
