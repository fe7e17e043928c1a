namespace IndexOperator.Runtime;

/// <summary>How events are written.</summary>
public sealed class EventRecorderOptions
{
    /// <summary>Who reports: a qualified name like <c>indexoperator.io/operator</c>.</summary>
    public string Controller { get; set; } = "indexoperator.io/operator";

    /// <summary>Which replica reports.</summary>
    public string Instance { get; set; } = Environment.MachineName;

    /// <summary>Events that may wait to be written; more are dropped and counted.</summary>
    public int Capacity { get; set; } = 1000;

    /// <summary>Different events that are remembered in order to count repetitions.</summary>
    public int Remembered { get; set; } = 4096;

    /// <summary>How long an event is remembered after it last happened.</summary>
    public TimeSpan SeriesLifetime { get; set; } = TimeSpan.FromMinutes(6);

    /// <summary>A repeated event is written again at most this often.</summary>
    public TimeSpan SeriesInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Writes a second, on average.</summary>
    public double WritesPerSecond { get; set; } = 10;

    /// <summary>Writes at once after a pause.</summary>
    public int WriteBurst { get; set; } = 50;

    /// <summary>How long what waits may still be written when the process stops.</summary>
    public TimeSpan FlushTimeout { get; set; } = TimeSpan.FromSeconds(3);
}
