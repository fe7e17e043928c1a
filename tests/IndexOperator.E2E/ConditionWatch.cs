using System.Diagnostics;

namespace IndexOperator.E2E;

/// <summary>Every state of a resource's conditions from now on, as the API server tells it: also those that last for a moment.</summary>
public sealed class ConditionWatch : IDisposable
{
    private static readonly string[] Types = ["Ready", "Available", "Reconciling", "Stalled", "DataCurrent", "Verified"];

    private readonly Process _kubectl;
    private readonly Task<string> _output;

    public ConditionWatch(Scenario here, string index)
    {
        // One by one: older kubectl leave a range empty from the second object on.
        var conditions = string.Concat(Types.Select(type => $"{type}={{.status.conditions[?(@.type==\"{type}\")].status}}/{{.status.conditions[?(@.type==\"{type}\")].reason}} "));
        _kubectl = Process.Start(new ProcessStartInfo(
            "kubectl",
            ["--kubeconfig", here.Cluster.Kubeconfig, "-n", here.Namespace, "get", "pretrainindex", index, "--watch", "-o", $"jsonpath={conditions}{{\"\\n\"}}"])
        {
            RedirectStandardOutput = true,
        })!;
        _output = _kubectl.StandardOutput.ReadToEndAsync(CancellationToken.None);
    }

    /// <summary>The states so far, such as <c>Ready=True/Published Available=True/Published ...</c>; nothing more is watched.</summary>
    public async Task<IReadOnlyList<string>> StopAsync()
    {
        _kubectl.Kill();
        await _kubectl.WaitForExitAsync(CancellationToken.None);
        return (await _output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public void Dispose()
    {
        if (!_kubectl.HasExited)
        {
            _kubectl.Kill();
        }

        _kubectl.Dispose();
    }
}
