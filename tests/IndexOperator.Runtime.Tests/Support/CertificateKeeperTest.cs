using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

/// <summary>Replicas that keep the certificates of one webhook, against the fake server and a clock that stands still.</summary>
public abstract class CertificateKeeperTest : IAsyncLifetime
{
    protected const string Configurations = "apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    protected const string Secrets = "api/v1/secrets";

    protected static readonly CertificateSettings Settings = new()
    {
        Secret = new ObjectKey("own", "certificate"),
        Configurations = ["ours"],
        Names = ["hook.own.svc", "127.0.0.1"],
        CommonName = "hook",
        AuthorityLifetime = TimeSpan.FromSeconds(900),
        LeafLifetime = TimeSpan.FromSeconds(300),
        Backdate = TimeSpan.FromSeconds(60),
    };

    private readonly List<ApiClient> _clients = [];

    private protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero));

    private protected FaultyApiServer Server { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Server = await FaultyApiServer.StartAsync();
        Configure("ours");
        Configure("others", "Zm9yZWlnbg==");
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected void Configure(string name, string? bundle = null)
    {
        var webhook = new JsonObject { ["name"] = "hook.example", ["clientConfig"] = new JsonObject { ["url"] = "https://127.0.0.1:1/mutate" }, ["sideEffects"] = "None", ["admissionReviewVersions"] = new JsonArray("v1") };
        if (bundle is not null)
        {
            webhook["clientConfig"]!["caBundle"] = bundle;
        }

        Server.Put(Configurations, "", name, new JsonObject { ["webhooks"] = new JsonArray(webhook, webhook.DeepClone()) });
    }

    protected string Bundle(string name = "ours")
    {
        var bundles = Server.Find(Configurations, "", name)!["webhooks"]!.AsArray().Select(webhook => (string?)webhook!["clientConfig"]!["caBundle"]).Distinct();
        return Assert.Single(bundles) ?? "";
    }

    protected IReadOnlyList<X509Certificate2> Trusted(string name = "ours") => CertificateSet.AuthoritiesOf(Convert.FromBase64String(Bundle(name)));

    protected int Writes() => Server.Requests.Count(request => request.Method != "GET");

    protected ApiClient Client()
    {
        var client = Server.Client();
        _clients.Add(client);
        return client;
    }

    private protected OneReplica Replica(CertificateSettings? settings = null)
    {
        var serving = new ServingCertificate(Time);
        return new OneReplica(serving, new CertificateKeeper(Client(), settings ?? Settings, serving, Time, NullLogger<CertificateKeeper>.Instance));
    }

    private protected sealed record OneReplica(ServingCertificate Serving, CertificateKeeper Keeper)
    {
        public Task<TimeSpan> LookAsync() => Keeper.LookAsync(Cancel);
    }
}
