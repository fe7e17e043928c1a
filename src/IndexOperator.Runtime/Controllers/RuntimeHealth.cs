namespace IndexOperator.Runtime;

/// <summary>Whether a probe passes, and if not, why.</summary>
/// <param name="IsHealthy">Whether it passes.</param>
/// <param name="Problems">Sentences for people.</param>
public sealed record HealthState(bool IsHealthy, IReadOnlyList<string> Problems);

/// <summary>Something without which the process is not ready.</summary>
public interface IReadinessCheck
{
    /// <summary>What is missing, as sentences for people; empty when ready.</summary>
    IEnumerable<string> Problems();
}

/// <summary>Answers for <c>/healthz</c> and <c>/readyz</c>.</summary>
public sealed class RuntimeHealth
{
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<IInformer> _informers;
    private readonly IServiceProvider _services;
    private readonly ILeadership _leadership;

    /// <summary>Made by dependency injection.</summary>
    public RuntimeHealth(IServiceProvider services, IEnumerable<IInformer> informers, ILeadership leadership)
    {
        _services = services;
        _informers = [.. informers];
        _leadership = leadership;
    }

    /// <summary>Whether this process leads.</summary>
    public bool IsLeader => _leadership.IsLeader;

    /// <summary>Live: loops run and no pass ignores its cancellation. If not, only a restart helps.</summary>
    public HealthState Live()
    {
        var problems = new List<string>();
        foreach (var controller in (IEnumerable<IControllerLoop>?)_services.GetService(typeof(IEnumerable<IControllerLoop>)) ?? [])
        {
            if (controller.HasEnded)
            {
                problems.Add($"controller {controller.Name} has ended");
            }

            if (controller.Overdue > StuckAfter)
            {
                problems.Add($"a pass of controller {controller.Name} is {controller.Overdue.TotalSeconds:F0} s beyond its deadline");
            }
        }

        return new HealthState(problems.Count == 0, problems);
    }

    /// <summary>Ready: every informer has a complete picture, and no check has a problem. Also true on replicas that do not lead.</summary>
    public HealthState Ready()
    {
        var problems = _informers.Where(informer => !informer.HasSynced).Select(informer => $"{informer.Description} not listed yet").ToList();
        foreach (var check in (IEnumerable<IReadinessCheck>?)_services.GetService(typeof(IEnumerable<IReadinessCheck>)) ?? [])
        {
            problems.AddRange(check.Problems());
        }

        return new HealthState(problems.Count == 0, problems);
    }
}
