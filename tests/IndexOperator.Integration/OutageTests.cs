using System.Collections.Concurrent;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Operator;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>
/// The API server ends and comes back, stands still, forgets; the operator's process is killed. Resources come and go all the
/// while. In the end every one that is there is Ready by one build, and every one that was deleted is gone.
/// </summary>
[Collection(nameof(Alone))]
[Trait("Category", "Chaos")]
public sealed class OutageTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly ConcurrentDictionary<string, bool> _names = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly List<IAsyncDisposable> _disposables = [];
    private ControlPlane _plane = null!;
    private ApiClient _client = null!;
    private History<V1Pod> _pods = null!;
    private History<V1Job> _jobs = null!;
    private JobPlayer _player = null!;
    private OperatorProcess _operator = null!;
    private string _namespace = "";

    public async ValueTask InitializeAsync()
    {
        _plane = await ControlPlane.StartAsync();
        await _plane.ApplyCrdAsync();
        _namespace = await _plane.CreateNamespaceAsync();
        _client = new ApiClient(ApiConnection.From(KubernetesClientConfiguration.BuildConfigFromConfigFile(_plane.KubeConfig)), new ApiClientOptions { RequestsPerSecond = 0, RequestTimeout = TimeSpan.FromSeconds(5) });
        _disposables.Add(await FakeNode.StartAsync(_client));
        foreach (var claim in new[] { Specs.DataClaim, Specs.CacheClaim })
        {
            await _client.CreateAsync(KnownResources.PersistentVolumeClaims, Specs.Claim(_namespace, claim), CancellationToken.None);
        }

        _pods = new History<V1Pod>(_client, KnownResources.Pods, _namespace);
        _jobs = new History<V1Job>(_client, KnownResources.Jobs, _namespace);
        _disposables.AddRange(_pods, _jobs);
        _player = new JobPlayer(_client, _pods);
        _operator = await StartAsync();
    }

    [Fact]
    public async Task Every_build_ends_once_and_every_deletion_is_seen()
    {
        var outages = Chaos.Number("CHAOS_OUTAGES", 4);
        using var quiet = new CancellationTokenSource();
        var traffic = LoopAsync(ComeAndGoAsync, 300, quiet.Token);
        var nodes = LoopAsync(_ => BuildAsync(), 200, _ending.Token);
        for (var i = 0; i < outages; i++)
        {
            await MoreAsync();
            await _plane.StopApiServerAsync();
            await _plane.CompactAsync();
            await _plane.StartApiServerAsync();
            await MoreAsync();
            await _plane.FreezeApiServerAsync();
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
            await _plane.ThawApiServerAsync();
            if (i % 4 == 3)
            {
                await WhileDownAsync();
            }
        }

        // From here on nothing new comes; what is there must become what was asked for.
        await quiet.CancelAsync();
        await traffic;
        var wanted = _names.Where(name => name.Value).Select(name => name.Key).Order(StringComparer.Ordinal).ToList();
        IReadOnlyList<PretrainIndex> there = [];
        try
        {
            await Wait.Until(
                "every resource to be Ready and every deleted one to be gone",
                async () =>
                {
                    there = await _client.ListAsync(Resources.PretrainIndexes, new ListQuery { Namespace = _namespace }, CancellationToken.None);
                    return there.Count == wanted.Count && there.All(index => index.Is(ConditionTypes.Ready, "True"));
                },
                Patience);
        }
        catch (TimeoutException error)
        {
            var open = there.Where(index => !index.Is(ConditionTypes.Ready, "True") || !wanted.Contains(index.Metadata.Name))
                .Select(index => $"{index.Metadata.Name} {index.Metadata.DeletionTimestamp} {index.ConditionOf(ConditionTypes.Ready)?.Message}");
            var pods = _pods.Now.Select(pod => $"{pod.Metadata.Name} {pod.Status?.Phase} {pod.Metadata.DeletionTimestamp}");
            throw new TimeoutException($"{error.Message}: {there.Count} of {wanted.Count}; {string.Join(", ", open)}; pods {string.Join(", ", pods)}\n{_operator.Log}", error);
        }

        await _ending.CancelAsync();
        await nodes;
        Assert.Equal(wanted, there.Select(index => index.Metadata.Name).Order(StringComparer.Ordinal));

        // The history's own watch may still be catching up; what is there now is listed.
        var jobs = _jobs.Ever.Concat(await _client.ListAsync(KnownResources.Jobs, new ListQuery { Namespace = _namespace }, CancellationToken.None)).DistinctBy(job => job.Metadata.Uid).ToList();
        foreach (var index in there)
        {
            var built = jobs.Where(job => job.Metadata.Labels[Labels.OwnerName] == index.Metadata.Name).Select(job => job.Metadata.Name).ToList();
            Assert.True(built.Count == 1 && (index.Status!.Build?.Attempt ?? 1) == 1, $"{index.Metadata.Name}: Jobs {string.Join(", ", built)}; {System.Text.Json.JsonSerializer.Serialize(index.Status, ApiJsonContext.Default.PretrainIndexStatus)}");
        }

        var summary = $"{outages} ends and {outages} freezes of the API server, {outages} compactions, {outages / 4} kills of the operator: {_names.Count} resources, {wanted.Count} left, {jobs.Count} Jobs";
        await Chaos.TellAsync(summary);
        Assert.True(wanted.Count > outages && _names.Count > wanted.Count, $"{wanted.Count} of {_names.Count} resources are left: too little happened.");
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _operator.Dispose();
        foreach (var disposable in Enumerable.Reverse(_disposables))
        {
            await disposable.DisposeAsync();
        }

        _client.Dispose();
        _ending.Dispose();
        await _plane.DisposeAsync();
    }

    /// <summary>Some resources more, however slow the machine is: their builds are under way when the next blow falls.</summary>
    private Task MoreAsync()
    {
        var enough = _names.Count + 3;
        return Wait.Until("three more resources", () => _names.Count >= enough, Patience);
    }

    /// <summary>The operator is killed; what is deleted meanwhile is noticed by the next one.</summary>
    private async Task WhileDownAsync()
    {
        _operator.Kill();
        foreach (var name in _names.Where(name => name.Value).Select(name => name.Key).Take(3))
        {
            await DeleteAsync(name);
        }

        _operator.Dispose();
        _operator = await StartAsync();
    }

    private async Task<OperatorProcess> StartAsync() =>
        OperatorProcess.Start(await OperatorAccess.KubeConfigAsync(_plane), "--namespace", _namespace, "--leader-elect=false");

    private async Task ComeAndGoAsync(int turn)
    {
        var name = $"mix-{turn}";
        await InsistAsync(() => _client.CreateAsync(Resources.PretrainIndexes, Specs.Index(_namespace, name, spec => Specs.Seeded(spec, turn)), CancellationToken.None), done: 409);
        _names[name] = true;
        if (turn % 3 == 2)
        {
            await DeleteAsync($"mix-{turn - 2}");
        }
    }

    private async Task DeleteAsync(string name)
    {
        if (_names.TryGetValue(name, out var isThere) && isThere)
        {
            await InsistAsync(() => _client.DeleteAsync(Resources.PretrainIndexes, new ObjectKey(_namespace, name), CancellationToken.None), done: 404);
            _names[name] = false;
        }
    }

    private async Task BuildAsync()
    {
        foreach (var pod in _pods.Now.Where(pod => pod.Status?.Phase is not ("Succeeded" or "Failed") && pod.Metadata.DeletionTimestamp is null))
        {
            await _player.EndAsync(pod, 0, Specs.Report(pod, pod.Metadata.Labels[Labels.OwnerName]));
        }
    }

    private static async Task LoopAsync(Func<int, Task> step, int milliseconds, CancellationToken ending)
    {
        for (var turn = 0; !ending.IsCancellationRequested; turn++)
        {
            try
            {
                await step(turn);
            }
            catch (Exception error) when (IsOutage(error))
            {
                // The next turn tries again.
            }

            await Task.Delay(milliseconds, CancellationToken.None);
        }
    }

    /// <summary>Asks until it is done: a request that nobody answered may have been carried out all the same.</summary>
    private static async Task InsistAsync(Func<Task> request, int done)
    {
        while (true)
        {
            try
            {
                await request();
                return;
            }
            catch (ApiException error) when (error.Code == done)
            {
                return;
            }
            catch (Exception error) when (IsOutage(error))
            {
                await Task.Delay(200, CancellationToken.None);
            }
        }
    }

    private static bool IsOutage(Exception error) => error is ApiException or HttpRequestException or TimeoutException or IOException;
}
