using System.Text;
using k8s;
using k8s.Authentication;
using k8s.Exceptions;
using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace IndexOperator.Runtime;

/// <summary>
/// Where the API server is and how to be let in. KubernetesClient reads kubeconfigs, exec plug-ins and the in-cluster
/// files; this keeps besides the paths of files that change while the process runs, so that they can be read again.
/// </summary>
public sealed class ApiConnection
{
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>Names a server.</summary>
    public ApiConnection(Uri server)
    {
        ArgumentNullException.ThrowIfNull(server);
        Server = server.AbsoluteUri.EndsWith('/') ? server : new Uri(server.AbsoluteUri + "/");
    }

    /// <summary>Base address, with a slash at its end.</summary>
    public Uri Server { get; }

    /// <summary>The namespace this process belongs to, if known.</summary>
    public string? Namespace { get; init; }

    /// <summary>PEM file of the authorities to trust. Read again when it changes.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM text of the authorities to trust, when there is no file. Neither: those of the system.</summary>
    public string? CaPem { get; init; }

    /// <summary>PEM file of the client certificate. Read again when it changes.</summary>
    public string? ClientCertificateFile { get; init; }

    /// <summary>PEM file of the client key.</summary>
    public string? ClientKeyFile { get; init; }

    /// <summary>PEM text of the client certificate, when there is no file.</summary>
    public string? ClientCertificatePem { get; init; }

    /// <summary>PEM text of the client key, when there is no file.</summary>
    public string? ClientKeyPem { get; init; }

    /// <summary>File of a bearer token. Read again every minute and when the server no longer accepts it.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Other credentials: tokens of exec plug-ins and OIDC, basic authentication.</summary>
    public ServiceClientCredentials? Credentials { get; init; }

    /// <summary>The name to expect in the server's certificate, when it is not the host's.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>Trust any server. For experiments only.</summary>
    public bool SkipTlsVerify { get; init; }

    /// <summary>What a pod is given by its service account.</summary>
    public static ApiConnection InCluster()
    {
        var config = KubernetesClientConfiguration.InClusterConfig();
        return new ApiConnection(new Uri(config.Host))
        {
            Namespace = config.Namespace?.Trim(),
            CaFile = $"{ServiceAccount}/ca.crt",
            TokenFile = $"{ServiceAccount}/token",
        };
    }

    /// <summary>In a pod its service account, elsewhere the kubeconfig (<c>KUBECONFIG</c>, then the home directory's).</summary>
    public static ApiConnection Default() =>
        KubernetesClientConfiguration.IsInCluster() ? InCluster() : From(KubernetesClientConfiguration.BuildDefaultConfig());

    /// <summary>The current context of a kubeconfig.</summary>
    /// <exception cref="KubeConfigException">The file is no kubeconfig, or its current context is incomplete.</exception>
    public static ApiConnection FromKubeconfig(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);

        // KubernetesClient's own reader first prepares itself for every kind of object there is, which takes longer than all else at the start.
#pragma warning disable IL3050 // as KubernetesClient's own reader needs too; in a pod there is no kubeconfig
        var reader = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).IgnoreUnmatchedProperties().Build();
#pragma warning restore IL3050
        try
        {
            var config = reader.Deserialize<K8SConfiguration?>(File.ReadAllText(path)) ?? throw new KubeConfigException($"{path} is empty");

            // Paths in it count from where it stands.
            config.FileName = Path.GetFullPath(path);
            return From(KubernetesClientConfiguration.BuildConfigFromConfigObject(config));
        }
        catch (YamlException e)
        {
            throw new KubeConfigException($"{path}, line {e.Start.Line}: {e.Message}", e);
        }
    }

    /// <summary>Takes over what KubernetesClient read.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="caFile">The file its authorities came from, when it should be watched for changes.</param>
    public static ApiConnection From(KubernetesClientConfiguration config, string? caFile = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        return new ApiConnection(new Uri(config.Host))
        {
            Namespace = config.Namespace,
            CaFile = caFile,
            CaPem = config.SslCaCerts is { Count: > 0 } authorities ? authorities.ExportCertificatePems() : null,
            ClientCertificateFile = NullIfEmpty(config.ClientCertificateFilePath),
            ClientKeyFile = NullIfEmpty(config.ClientKeyFilePath),
            ClientCertificatePem = Base64(config.ClientCertificateData),
            ClientKeyPem = Base64(config.ClientCertificateKeyData),
            Credentials = k8s.Kubernetes.CreateCredentials(config),
            TlsServerName = NullIfEmpty(config.TlsServerName),
            SkipTlsVerify = config.SkipTlsVerify,
        };
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private static string? Base64(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null : Encoding.UTF8.GetString(Convert.FromBase64String(text));
}
