using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>The <c>caBundle</c>s of our configurations: what API servers trust, since when, and how it is changed.</summary>
internal sealed class TrustStore(ApiClient client, CertificateSettings settings, TimeProvider time)
{
    private readonly Dictionary<string, long> _since = [];
    private List<V1MutatingWebhookConfiguration> _read = [];

    /// <summary>The authorities that every webhook of every configuration trusts, as of the last <see cref="ReadAsync"/> or write.</summary>
    public IReadOnlyList<X509Certificate2> Authorities { get; private set; } = [];

    /// <summary>A configuration that is not there; null when all are.</summary>
    public string? Missing { get; private set; }

    /// <summary>Reads the configurations.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        var read = new List<V1MutatingWebhookConfiguration>();
        Missing = null;
        foreach (var name in settings.Configurations)
        {
            if (await client.FindAsync(KnownResources.MutatingWebhookConfigurations, new ObjectKey("", name), cancellationToken) is { } found)
            {
                read.Add(found);
            }
            else
            {
                Missing = name;
            }
        }

        Take(read);
    }

    /// <summary>Whether an authority is trusted, and has been for so long.</summary>
    public bool Trusts(X509Certificate2 authority, TimeSpan sinceAtLeast) =>
        _since.TryGetValue(authority.Thumbprint, out var since) && time.GetElapsedTime(since) >= sinceAtLeast;

    /// <summary>
    /// Writes the bundle where another stands. The configurations must have been read before the Secret that the bundle comes from: then a
    /// replica that was slow cannot undo what another has written since, because the version that it read is gone.
    /// </summary>
    /// <returns>Whether all trust the bundle now; false when a configuration changed in between.</returns>
    public async Task<bool> EnsureAsync(byte[] bundle, CancellationToken cancellationToken)
    {
        var written = new List<V1MutatingWebhookConfiguration>();
        foreach (var configuration in _read)
        {
            var operations = new JsonArray();
            for (var i = 0; i < configuration.Webhooks?.Count; i++)
            {
                if (configuration.Webhooks[i].ClientConfig?.CaBundle?.AsSpan().SequenceEqual(bundle) != true)
                {
                    operations.Add((JsonNode)new JsonObject { ["op"] = "add", ["path"] = $"/webhooks/{i}/clientConfig/caBundle", ["value"] = Convert.ToBase64String(bundle) });
                }
            }

            try
            {
                written.Add(operations.Count == 0 ? configuration : await client.JsonPatchAsync(
                    KnownResources.MutatingWebhookConfigurations, ObjectKey.Of(configuration), operations, configuration.Metadata.ResourceVersion, cancellationToken));
            }
            catch (ApiException error) when (error.IsConflict || error.IsNotFound)
            {
                return false;
            }
        }

        Take(written);
        return true;
    }

    private void Take(List<V1MutatingWebhookConfiguration> read)
    {
        _read = read;
        var webhooks = Missing is null ? read.SelectMany(configuration => configuration.Webhooks ?? []).ToList() : [];
        var bundles = webhooks.Select(webhook => CertificateSet.AuthoritiesOf(webhook.ClientConfig?.CaBundle)).ToList();
        Authorities = bundles.Count == 0 ? [] : [.. bundles[0].Where(authority => bundles.TrueForAll(bundle => bundle.Any(other => other.Thumbprint == authority.Thumbprint)))];
        var trusted = Authorities.Select(authority => authority.Thumbprint).ToHashSet();
        foreach (var gone in _since.Keys.Where(thumbprint => !trusted.Contains(thumbprint)).ToList())
        {
            _since.Remove(gone);
        }

        foreach (var thumbprint in trusted)
        {
            _since.TryAdd(thumbprint, time.GetTimestamp());
        }
    }
}
