using IndexOperator.Operator;

namespace Rbac;

/// <summary>Everything that the operator may be granted, with the names that <c>config/</c> has.</summary>
public static class Granted
{
    /// <summary>All of it, also for what is optional.</summary>
    public static IReadOnlyList<AccessRule> All { get; } = Of(new PodWebhookOptions());

    /// <summary>The same for other names.</summary>
    public static IReadOnlyList<AccessRule> Of(PodWebhookOptions names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return
        [
            .. AccessRules.InNamespaces, .. AccessRules.OfDefinition, .. AccessRules.OfWebhook(names.Configuration),
            .. AccessRules.OfCertificates(names.CertificateSecret), .. AccessRules.ForLeaderElection, .. AccessRules.ForKueue,
        ];
    }
}

/// <summary>Whether the operator was granted what it used, and used what it was granted.</summary>
public sealed class Judgement
{
    private Judgement(int requests, IReadOnlyList<AuditedRequest> denied, IReadOnlyList<string> unused, int used)
    {
        Requests = requests;
        Denied = denied;
        Unused = unused;
        Used = used;
    }

    /// <summary>How many requests operators made.</summary>
    public int Requests { get; }

    /// <summary>Their requests that were denied, each kind once.</summary>
    public IReadOnlyList<AuditedRequest> Denied { get; }

    /// <summary>Granted verbs that no request had.</summary>
    public IReadOnlyList<string> Unused { get; }

    /// <summary>How many granted verbs requests had.</summary>
    public int Used { get; }

    /// <summary>Whether nothing was denied and nothing is left over.</summary>
    public bool IsClean => Denied.Count == 0 && Unused.Count == 0;

    /// <summary>Judges requests by what is granted.</summary>
    /// <param name="requests">What was asked for.</param>
    /// <param name="granted">What may be used.</param>
    /// <param name="withdrawals">When whose rights were taken away.</param>
    public static Judgement Of(IEnumerable<AuditedRequest> requests, IReadOnlyList<AccessRule> granted, params IReadOnlyList<Withdrawal> withdrawals)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(granted);
        var count = 0;
        var denied = new Dictionary<(string, string, string, string), AuditedRequest>();
        var seen = new HashSet<(string Group, string Resource, string Verb, string Name)>();
        foreach (var request in requests.Where(request => request.IsOfOperator))
        {
            count++;
            if (request.IsDenied)
            {
                if (withdrawals.Any(withdrawal => withdrawal.Covers(request)))
                {
                    continue;
                }

                denied.TryAdd((request.User, request.Group, request.Resource, request.Verb), request);
                continue;
            }

            // A rule for one name is used by a request for it, one for all names by any.
            seen.Add((request.Group, request.Resource, request.Verb, request.Name));
            seen.Add((request.Group, request.Resource, request.Verb, ""));
        }

        // What an admission plugin asks for is in no log: that it is needed is for a test of its own to show.
        var asked = granted.Where(rule => rule.AskedBy is null)
            .SelectMany(rule => rule.Verbs.Select(verb => (Rule: rule with { Verbs = [verb] }, Key: (rule.Group, rule.Resource, verb, rule.Name ?? ""))))
            .ToList();
        return new Judgement(
            count,
            [.. denied.Values],
            [.. asked.Where(one => !seen.Contains(one.Key)).Select(one => one.Rule.ToString())],
            asked.Count(one => seen.Contains(one.Key)));
    }
}
