using System.Globalization;

namespace IndexOperator.Integration.Harness;

/// <summary>How long the chaos tests go on, and where they tell what happened: <c>make chaos</c> sets both.</summary>
public static class Chaos
{
    /// <summary>A number from the environment.</summary>
    /// <param name="variable">Its name.</param>
    /// <param name="otherwise">The number when it is not set: what <c>make test</c> takes.</param>
    public static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Tells a line to the test's output, and to the file that CHAOS_REPORT names.</summary>
    public static async Task TellAsync(string line)
    {
        TestContext.Current.TestOutputHelper!.WriteLine(line);
        if (Environment.GetEnvironmentVariable("CHAOS_REPORT") is { Length: > 0 } report)
        {
            await File.AppendAllTextAsync(report, line + "\n", TestContext.Current.CancellationToken);
        }
    }
}
