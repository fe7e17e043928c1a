using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>A setting in which the run and the resource differ.</summary>
/// <param name="Setting">What it is.</param>
/// <param name="Run">The run's value.</param>
/// <param name="Resource">The resource's value.</param>
/// <param name="Argument">What the run calls it.</param>
/// <param name="Field">The resource's field.</param>
/// <param name="Advice">What to change.</param>
internal sealed record RunDifference(string Setting, string Run, string Resource, string Argument, string Field, string Advice);

/// <summary>What of a split the run finds.</summary>
/// <param name="Split">train, valid or test.</param>
/// <param name="Samples">Samples that the run asks for; null for one epoch.</param>
/// <param name="Datasets">Datasets that the run looks for, its blend counted as one.</param>
/// <param name="Found">How many of them the resource builds.</param>
internal sealed record RunSplit(string Split, long? Samples, int Datasets, int Found);

/// <summary>What <c>check-run</c> says.</summary>
/// <param name="Hit">Whether the run finds everything.</param>
/// <param name="Index">The resource's name.</param>
/// <param name="Framework">Whose run.</param>
/// <param name="Splits">What it finds of each split; empty where its data differs.</param>
/// <param name="Differences">Settings that differ and matter.</param>
/// <param name="Missing">The first datasets that are not found, with the fields of their keys that differ; only where no setting explains it.</param>
/// <param name="Warnings">What a person should know.</param>
/// <param name="NotLookedAt">Arguments that may matter and were not read.</param>
internal sealed record RunReport(
    bool Hit,
    string Index,
    string Framework,
    IReadOnlyList<RunSplit> Splits,
    IReadOnlyList<RunDifference> Differences,
    IReadOnlyList<DescriptionMatch> Missing,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> NotLookedAt)
{
    /// <summary>The report as text.</summary>
    public string Describe()
    {
        var lines = new List<string>
        {
            Hit ? $"HIT: the {Framework} run finds every file of {Index}" : $"MISS: the {Framework} run does not find what {Index} builds, and fails where the index is mounted read-only",
        };
        lines.AddRange(Splits.Select(split => $"  {split.Split,-5} {split.Found} of {split.Datasets} datasets, {(split.Samples is { } samples ? $"{samples} samples" : "one epoch")}"));
        lines.AddRange(Differences.Select(difference => $"""
            {difference.Setting}
              run:      {difference.Run}   ({difference.Argument})
              resource: {difference.Resource}   ({difference.Field})
              {difference.Advice}
            """));
        foreach (var match in Missing)
        {
            lines.Add($"{match.Split} {match.Class} {match.AskedHash}: not what the resource builds{(match.BuiltHash is null ? "" : $" ({match.BuiltHash})")}");
            lines.AddRange(match.Differences.Select(difference => $"""
                  {difference.Field}
                    run:      {difference.Asked ?? "(absent)"}
                    resource: {difference.Built ?? "(absent)"}
                    {difference.Advice}
                """));
        }

        lines.AddRange(Warnings.Select(warning => $"warning: {warning}"));
        if (NotLookedAt.Count > 0)
        {
            lines.Add($"not looked at, and may matter: {string.Join(", ", NotLookedAt)}");
        }

        return string.Join('\n', lines);
    }
}
