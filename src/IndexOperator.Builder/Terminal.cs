using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.Indexing;
using Spectre.Console;

namespace IndexOperator.Builder;

/// <summary>How a command talks: to a person at a terminal, to a Job's log, or as one JSON document.</summary>
internal enum TalkMode
{
    Person,
    Log,
    Json,
}

/// <summary>Standard output and standard error of the process.</summary>
internal sealed class Terminal(TalkMode mode)
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(100);

    public TalkMode Mode { get; } = mode;

    /// <summary>Whether anybody sees the progress of a build.</summary>
    public bool ShowsProgress => Mode == TalkMode.Log || (Mode == TalkMode.Person && !Console.IsOutputRedirected);

    /// <summary>Without a wish, a terminal gets text and everything else gets a log.</summary>
    public static Terminal For(string? format) => new(format switch
    {
        "json" => TalkMode.Json,
        "text" => TalkMode.Person,
        _ => Console.IsOutputRedirected ? TalkMode.Log : TalkMode.Person,
    });

    public static void WriteLine(string text) => Console.Out.WriteLine(text);

    /// <summary>Writes one line of a Job's log, unless somebody else is listening.</summary>
    public void Log(BuilderEvent line)
    {
        if (Mode == TalkMode.Log)
        {
            WriteLine(JsonSerializer.Serialize(line, LogJson.Context.BuilderEvent));
        }
    }

    /// <summary>Writes a failure to standard error, or as the JSON document that was asked for.</summary>
    public void Fail(IndexingException failure)
    {
        if (Mode == TalkMode.Json)
        {
            WriteLine(JsonSerializer.Serialize(new ErrorResult(failure.Reason.ToString(), failure.Message), PrettyJson.Context.ErrorResult));
        }

        Console.Error.WriteLine($"index-builder: {failure.Reason}: {failure.Message}");
        if (failure.Reason == FailureReason.BuilderCrashed)
        {
            Console.Error.WriteLine(failure.InnerException);
        }
    }

    /// <summary>Runs a build with whatever shows its progress.</summary>
    /// <param name="time">Paces what is shown.</param>
    /// <param name="run">The build; told whom to report to, or null.</param>
    /// <param name="forecast">How much work the build's parts are; null when it has but one, or nobody looks.</param>
    public T WithProgress<T>(TimeProvider time, Func<IBuildProgress?, T> run, WorkForecast? forecast = null)
    {
        if (Mode == TalkMode.Log)
        {
            return run(new ProgressMeter(time, LogInterval, forecast ?? WorkForecast.Unknown, progress =>
                WriteLine(JsonSerializer.Serialize(new BuildProgressLine { Progress = progress }, LogJson.Context.BuildProgressLine))));
        }

        return ShowProgress(time, run, forecast, isKept: true);
    }

    /// <summary>Runs anything else that can take long: a terminal shows a bar meanwhile, and nothing else does.</summary>
    /// <param name="time">Paces the bar.</param>
    /// <param name="run">The work; told whom to report to, or null.</param>
    /// <param name="forecast">How much work its parts are; null when it has but one.</param>
    /// <param name="isKept">Whether the bar stays on the screen afterwards.</param>
    public T ShowProgress<T>(TimeProvider time, Func<IBuildProgress?, T> run, WorkForecast? forecast = null, bool isKept = false)
    {
        if (Mode == TalkMode.Json || Console.IsOutputRedirected)
        {
            return run(null);
        }

        return AnsiConsole.Progress()
            .AutoClear(!isKept)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var bar = context.AddTask("Starting");
                var result = run(new ProgressMeter(time, BarInterval, forecast ?? WorkForecast.Unknown, progress =>
                {
                    bar.Description = progress.Phase;
                    bar.Value = progress.Percent;
                }));
                bar.Value = 100;
                return result;
            });
    }
}
