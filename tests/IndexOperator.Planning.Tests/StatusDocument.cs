using System.Text.RegularExpressions;
using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

/// <summary>The tables of docs/status.md, read as a program reads them.</summary>
internal sealed partial class StatusDocument
{
    private const string Failures = "(#failures)";

    private StatusDocument(string text)
    {
        var tables = text.ReplaceLineEndings("\n").Split("\n\n").Select(Rows).Where(rows => rows.Count > 2).ToList();
        FailureRows = Table(tables, "Reason", "What happened").Select(cells => new FailureRow(Words(cells[0]).Single(), cells[2])).ToList();
        States = Table(tables, "Conditions", "Reason").Select(cells => new StateRow(
            [.. Words(cells[0]).Select(pair => pair.Split('=')).Select(pair => (pair[0], pair[1]))], [.. Reasons(cells[1])], cells[2])).ToList();
        Events = Table(tables, "Type", "Reason").Select(cells => new EventRow(cells[0], [.. Reasons(cells[1])], cells[2])).ToList();
        Fields = Table(tables, "Field", "Meaning").SelectMany(cells => Words(cells[0])).ToList();
    }

    /// <summary>Which reasons an attempt may fail for, and whether it is tried again.</summary>
    public IReadOnlyList<FailureRow> FailureRows { get; }

    /// <summary>Conditions and their reasons.</summary>
    public IReadOnlyList<StateRow> States { get; }

    /// <summary>Events.</summary>
    public IReadOnlyList<EventRow> Events { get; }

    /// <summary>Fields of the status.</summary>
    public IReadOnlyList<string> Fields { get; }

    /// <summary>Every condition as type, status and reason.</summary>
    public IEnumerable<(string Type, string Status, string Reason)> Triples => States.SelectMany(row => row.Triples);

    /// <summary>Every reason of any table.</summary>
    public IReadOnlySet<string> AllReasons =>
        States.SelectMany(row => row.Reasons).Concat(Events.SelectMany(row => row.Reasons)).Concat(FailureRows.Select(row => row.Reason)).ToHashSet();

    public static StatusDocument Parse(string text) => new(text);

    /// <summary>What the document says that kstatus says of a status.</summary>
    public string Kstatus(ShownStatus shown)
    {
        var ready = shown.Condition(ConditionTypes.Ready)!;
        var rows = States.Where(row => row.Conditions[0].Type == ConditionTypes.Ready && row.Reasons.Contains(ready.Reason!) && row.Conditions.All(pair => shown.Condition(pair.Type)?.Status == pair.Status));
        return rows.Select(row => row.Kstatus).Distinct().ToList() switch
        {
            [var verdict] => verdict,
            [] => throw new InvalidDataException($"No row of docs/status.md is about Ready={ready.Status} {ready.Reason} as in \"{shown.Name}\"."),
            _ => throw new InvalidDataException($"Rows of docs/status.md disagree about Ready={ready.Status} {ready.Reason} as in \"{shown.Name}\"."),
        };
    }

    private IEnumerable<string> Reasons(string cell) => cell.Split(", ").SelectMany(part => part switch
    {
        $"[any failure]{Failures}" => FailureRows.Select(row => row.Reason),
        $"[a failure that passes]{Failures}" => FailureRows.Where(row => row.TriedAgain == "soon").Select(row => row.Reason),
        _ when Words(part) is [var reason] => [reason],
        _ => throw new InvalidDataException($"docs/status.md: \"{part}\" is no reason."),
    });

    private static IEnumerable<string[]> Table(List<List<string[]>> tables, params string[] header) =>
        tables.Single(rows => rows[0].Take(header.Length).SequenceEqual(header)).Skip(2);

    private static List<string[]> Rows(string block) =>
        [.. block.Split('\n').Where(line => line.StartsWith('|')).Select(line => line.Trim('|', ' ').Split('|').Select(cell => cell.Trim()).ToArray())];

    private static string[] Words(string cell) => [.. Code().Matches(cell).Select(match => match.Groups[1].Value)];

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}

/// <summary>A row of the table of conditions: the conditions that are so together, and for which reasons.</summary>
internal sealed record StateRow(IReadOnlyList<(string Type, string Status)> Conditions, IReadOnlyList<string> Reasons, string Kstatus)
{
    public IEnumerable<(string Type, string Status, string Reason)> Triples => Conditions.SelectMany(_ => Reasons, (condition, reason) => (condition.Type, condition.Status, reason));
}

/// <summary>A row of the table of failures.</summary>
internal sealed record FailureRow(string Reason, string TriedAgain);

/// <summary>A row of the table of events.</summary>
internal sealed record EventRow(string Type, IReadOnlyList<string> Reasons, string Action);
