using System.Diagnostics;
using IndexOperator.TestSupport;

namespace IndexOperator.Builder.Tests;

/// <summary>Runs the real program in a process of its own, as a Job and a laptop do.</summary>
internal sealed class BuilderProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;
    private volatile string _errorsSoFar = "";

    private BuilderProcess(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "index-builder.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync();
        _errors = ReadErrorsAsync();
    }

    public bool HasExited => _process.HasExited;

    public static BuilderProcess Start(params string[] arguments) => new(arguments);

    public static (int ExitCode, string Output, string Errors) Run(params string[] arguments)
    {
        using var process = new BuilderProcess(arguments);
        return process.Wait();
    }

    /// <summary>Runs it with a terminal of its own, as a person does; returns everything that the terminal was sent.</summary>
    public static Task<CommandResult> RunOnTerminal(params string[] arguments)
    {
        var command = string.Join(' ', arguments.Prepend(Path.Combine(AppContext.BaseDirectory, "index-builder.dll")).Prepend("dotnet").Select(word => $"'{word}'"));
        return Command.RunAsync(
            "script", ["-qec", command, "/dev/null"], environment: new Dictionary<string, string> { ["TERM"] = "xterm" }, deadline: Patience, cancellation: TestContext.Current.CancellationToken);
    }

    public (int ExitCode, string Output, string Errors) Wait()
    {
        Assert.True(_process.WaitForExit(Patience), "index-builder did not end.");
        return (_process.ExitCode, _output.GetAwaiter().GetResult(), _errors.GetAwaiter().GetResult());
    }

    /// <summary>Waits until something holds or the process has ended.</summary>
    public void Until(Func<bool> holds) => SpinWait.SpinUntil(() => holds() || _process.HasExited, Patience);

    /// <summary>Waits until standard error has a text, or the process has ended.</summary>
    public void UntilError(string text) => Until(() => _errorsSoFar.Contains(text, StringComparison.Ordinal));

    /// <summary>Waits for the end, but no longer than a time: a moment for a test to strike at.</summary>
    public void WaitAtMost(TimeSpan time) => _process.WaitForExit(time);

    public void Kill() => _process.Kill();

    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private async Task<string> ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            _errorsSoFar += line + "\n";
        }

        return _errorsSoFar;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
