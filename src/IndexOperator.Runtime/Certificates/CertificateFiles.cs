using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>
/// Serves a certificate that somebody else keeps, such as cert-manager, from <c>tls.crt</c> and <c>tls.key</c> of a folder. They are read
/// again when their content changes: a mounted Secret is replaced by moving a link, which no file watch sees.
/// </summary>
internal sealed class CertificateFiles(string folder, ServingCertificate serving, TimeProvider time, ILogger<CertificateFiles> logger) : BackgroundService
{
    private const int LongestFile = 1 << 20;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private string _seen = "";

    /// <summary>Looks at the files once.</summary>
    internal void Look()
    {
        try
        {
            var certificate = Read("tls.crt");
            var key = Read("tls.key");
            var hash = Convert.ToHexString(SHA256.HashData([.. SHA256.HashData(certificate), .. SHA256.HashData(key)]));
            if (hash == _seen)
            {
                return;
            }

            // Tried once: a pair that does not fit is told once, and looked at again when a half of it is replaced.
            _seen = hash;
            var text = System.Text.Encoding.UTF8.GetString(certificate);
            var leaf = X509Certificate2.CreateFromPem(text, System.Text.Encoding.UTF8.GetString(key));
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(text);
            serving.Use(leaf, [.. chain.Where(other => other.Thumbprint != leaf.Thumbprint)]);
            logger.LogInformation("The webhook serves certificate {Serial} of {Folder}, valid until {End:u}", leaf.SerialNumber, folder, Issuing.End(leaf));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            var problem = $"tls.crt and tls.key of {folder} cannot be used: {error.Message}";
            logger.LogWarning("{Problem}; {Rest}", problem, serving.Current is null ? "the webhook cannot answer until they can" : "the previous certificate stays in use");
            serving.Explain(problem);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Look();
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Look();
        }
    }

    private byte[] Read(string name)
    {
        var path = Path.Combine(folder, name);
        using var file = File.OpenRead(path);
        return file.Length > LongestFile ? throw new IOException($"{path} is larger than a certificate can be") : ReadAll(file);
    }

    private static byte[] ReadAll(FileStream file)
    {
        using var memory = new MemoryStream();
        file.CopyTo(memory);
        return memory.ToArray();
    }
}
