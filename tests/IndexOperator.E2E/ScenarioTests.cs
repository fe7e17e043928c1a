namespace IndexOperator.E2E;

/// <summary>A test with a scenario of its own, which is described when the test fails.</summary>
public abstract class ScenarioTests(Cluster cluster, string name) : IAsyncLifetime
{
    private Scenario? _scenario;

    protected Scenario Here => _scenario!;

    public async ValueTask InitializeAsync()
    {
        cluster.SkipUnlessThere();
        Cluster.Say(TestContext.Current.Test?.TestDisplayName ?? name);
        _scenario = new Scenario(cluster, name);
        await _scenario.StartAsync();
        await PrepareAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_scenario is null)
        {
            return;
        }

        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            await _scenario.TellAsync();
        }

        await PutBackAsync();
        await _scenario.DisposeAsync();
    }

    /// <summary>Makes what every test of the class needs.</summary>
    protected virtual Task PrepareAsync() => Here.AddSmallDataAsync();

    /// <summary>Undoes what a test did to the cluster outside its namespace.</summary>
    protected virtual Task PutBackAsync() => Task.CompletedTask;
}
