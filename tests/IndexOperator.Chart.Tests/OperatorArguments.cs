using IndexOperator.Operator;

namespace IndexOperator.Chart.Tests;

/// <summary>The operator's own reading of its arguments.</summary>
internal static class OperatorArguments
{
    /// <summary>What it takes them for; fails where it would not start.</summary>
    public static OperatorOptions Parse(string[] arguments)
    {
        OperatorOptions? seen = null;
        var parsed = OperatorCommand.Create((options, _) =>
        {
            seen = options;
            return Task.FromResult(0);
        }).Parse(arguments);
        Assert.True(parsed.Errors.Count == 0, string.Join('\n', parsed.Errors.Select(error => error.Message)));
        Assert.Equal(0, parsed.Invoke());
        return seen!;
    }
}
