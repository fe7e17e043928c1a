using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>
/// Leaves the final report where Kubernetes takes the container's termination message from. That file exists already and
/// its directory may be read-only, so it is written in place.
/// </summary>
internal sealed class TerminationLog
{
    private const string KubernetesDefault = "/dev/termination-log";

    private readonly string? _path;

    /// <param name="path">Where to write; null to use Kubernetes' default if this is a container that has it.</param>
    public TerminationLog(string? path) =>
        _path = path ?? (Console.IsOutputRedirected && File.Exists(KubernetesDefault) ? KubernetesDefault : null);

    /// <summary>Whether anybody reads what is written.</summary>
    public bool IsThere => _path is not null;

    /// <summary>Writes the report. A log that cannot be written is told on standard error but fails nothing: the work is done.</summary>
    public void Write(BuildReport report)
    {
        if (_path is null)
        {
            return;
        }

        try
        {
            File.WriteAllText(_path, report.ToJson());
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            Console.Error.WriteLine($"index-builder: the termination log {_path} cannot be written: {fault.Message}");
        }
    }
}
