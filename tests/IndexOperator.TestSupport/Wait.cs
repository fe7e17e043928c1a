using System.Globalization;
using Xunit;

namespace IndexOperator.TestSupport;

/// <summary>Waiting in tests: for a condition, with a deadline, and a message that says what was waited for.</summary>
public static class Wait
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks until the condition holds.</summary>
    /// <param name="what">What is waited for; the end of "waited 5 s for ...".</param>
    /// <param name="condition">The condition. An exception counts as "not yet" and is told when the deadline passes.</param>
    /// <param name="deadline">How long at most.</param>
    /// <param name="time">The clock; the real one by default.</param>
    /// <exception cref="TimeoutException">The condition did not hold in time.</exception>
    public static Task Until(string what, Func<bool> condition, TimeSpan deadline, TimeProvider? time = null) =>
        Until(what, () => Task.FromResult(condition()), deadline, time);

    /// <inheritdoc cref="Until(string, Func{bool}, TimeSpan, TimeProvider?)"/>
    public static Task Until(string what, Func<Task<bool>> condition, TimeSpan deadline, TimeProvider? time = null) =>
        For(what, async () => await condition() ? "" : null, deadline, time);

    /// <summary>Asks until there is a value, and gives it.</summary>
    /// <param name="what">What is waited for; the end of "waited 5 s for ...".</param>
    /// <param name="value">The value, null while there is none. An exception counts as "not yet" and is told when the deadline passes.</param>
    /// <param name="deadline">How long at most.</param>
    /// <param name="time">The clock; the real one by default.</param>
    /// <exception cref="TimeoutException">There was no value in time.</exception>
    public static async Task<T> For<T>(string what, Func<Task<T?>> value, TimeSpan deadline, TimeProvider? time = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(value);
        time ??= TimeProvider.System;
        var begun = time.GetTimestamp();
        while (true)
        {
            Exception? last = null;
            try
            {
                if (await value() is { } found)
                {
                    return found;
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                last = error;
            }

            if (time.GetElapsedTime(begun) >= deadline)
            {
                throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"waited {deadline.TotalSeconds:0.###} s for {what}{(last is null ? "" : $"; last answer: {last.Message}")}"), last);
            }

            await Task.Delay(Pause, time, TestContext.Current.CancellationToken);
        }
    }
}
