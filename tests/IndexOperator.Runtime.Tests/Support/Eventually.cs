using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

/// <summary>Waits for conditions, with a deadline that says what was waited for.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    public static Task TrueAsync(string what, Func<bool> condition) => TrueAsync(what, condition, TimeSpan.FromMilliseconds(5));

    private static async Task TrueAsync(string what, Func<bool> condition, TimeSpan poll)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Deadline, $"waited {Deadline.TotalSeconds} s in vain: {what}");
            await Task.Delay(poll, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The same, while a fake clock moves on; slowly enough for requests to be answered in between.</summary>
    public static Task TrueAsync(string what, FakeTimeProvider time, TimeSpan step, Func<bool> condition) =>
        TrueAsync(
        what,
        () =>
        {
            if (condition())
            {
                return true;
            }

            time.Advance(step);
            return false;
        },
        TimeSpan.FromMilliseconds(10));

    public static async Task<T> CompletesAsync<T>(string what, Task<T> task)
    {
        await TrueAsync(what, () => task.IsCompleted);
        return await task;
    }

    public static async Task CompletesAsync(string what, Task task)
    {
        await TrueAsync(what, () => task.IsCompleted);
        await task;
    }
}
