using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace IndexOperator.Integration.Harness;

/// <summary>The operator's program in a process of its own, which can be killed and frozen like one.</summary>
public sealed class OperatorProcess : IDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = new();

    private OperatorProcess(Process process, int port)
    {
        _process = process;
        Port = port;
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it calls itself on the Lease, once it has led.</summary>
    public string? Identity { get; private set; }

    /// <summary>Port of /healthz, /readyz and /metrics.</summary>
    public int Port { get; }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Its exit code.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The end of its log.</summary>
    public string Log => string.Join('\n', _log.TakeLast(30));

    /// <summary>Starts the program with a kubeconfig and further options.</summary>
    public static OperatorProcess Start(string kubeconfig, params string[] options) =>
        StartProgram(Path.Combine(AppContext.BaseDirectory, "index-operator.dll"), kubeconfig, options);

    /// <summary>Starts another build of the program, such as the one that images hold.</summary>
    public static OperatorProcess StartProgram(string program, string kubeconfig, params string[] options)
    {
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[program, "--kubeconfig", kubeconfig, "--port", $"{port}", .. options])
        {
            start.ArgumentList.Add(argument);
        }

        return new OperatorProcess(Process.Start(start)!, port);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    public async Task TerminateAsync()
    {
        Signal("TERM");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await _process.WaitForExitAsync(patience.Token);
    }

    /// <summary>SIGSTOP: the process stands still, its connections stay open.</summary>
    public void Freeze() => Signal("STOP");

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Signal("CONT");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        _log.Enqueue(line);
        const string Words = " leads ";
        if (line.IndexOf(Words, StringComparison.Ordinal) is > 0 and var at)
        {
            Identity = line[..at].Split(' ')[^1];
        }
    }
}
