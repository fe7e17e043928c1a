using System.Reflection;
using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>docs/status.md says what the code does: no reason, condition, event, retry or field more, and none less.</summary>
public sealed class StatusDocumentationTests
{
    // Rows of what this release does not come to.
    private static readonly string[] NotMet = [Reasons.ClaimAccessMode];

    private static readonly string Text = RepositoryRoot.ReadText("docs/status.md");

    [Fact]
    public void The_document_says_what_the_code_does()
    {
        var faults = Faults(Text);
        Assert.True(faults.Count == 0, $"docs/status.md and the code differ:\n{string.Join('\n', faults)}");
    }

    [Theory]
    [InlineData("| `Ready=False` `Reconciling=True` | `SharedBuild` |", "| `Ready=False` `Reconciling=True` | `Building` |", "SharedBuild is in no table")]
    [InlineData("| `Ready=False` `Reconciling=True` | `SharedBuild` |", "| `Ready=False` `Reconciling=True` | `SharedBuilt` |", "SharedBuilt is no reason of the code")]
    [InlineData("| `Ready=False` `Stalled=True` | `DataChanged` |", "| `Ready=False` | `DataChanged` |", "has Stalled=True DataChanged, which is in no row")]
    [InlineData("| `Verified=False` | `VersionCorrupt` |", "| `Verified=Unknown` | `VersionCorrupt` |", "no case shows Verified=Unknown VersionCorrupt")]
    [InlineData("| `Verified=False` | `VersionCorrupt` |", "| `Checked=False` | `VersionCorrupt` |", "Checked is no condition")]
    [InlineData("| `Evicted` | The pod was evicted, preempted, lost with its node, or deleted | soon |", "| `Evicted` | The pod was evicted | rarely |", "Evicted is tried again soon, not rarely")]
    [InlineData("| `DataMissing` | A `.bin` or `.idx` file is not there | rarely |", "| `DataMissing` | A file is not there | never |", "DataMissing is tried again rarely, not never")]
    [InlineData("| `OversampledBlend` | The blend wants more samples of a dataset than Megatron builds of it | never |", "| `OversampledBlend` | The blend wants more | soon |", "OversampledBlend is tried again never, not soon")]
    [InlineData("| Warning | `InUse` | Delete |", "| Normal | `InUse` | Delete |", "tells Warning InUse Delete, which is in no row")]
    [InlineData("| Normal | `Pruned` | Prune |", "| Normal | `Pruned` | Remove |", "no case tells Normal Pruned Remove")]
    [InlineData("| `status.data.looks` |", "| `status.data.seen` |", "status.data.seen is no field")]
    [InlineData("| `status.change.reason` |", "| `status.change` |", "status.change.reason is in no row")]
    public void A_document_that_does_not_is_noticed(string written, string instead, string fault)
    {
        Assert.Contains(written, Text, StringComparison.Ordinal);
        Assert.Contains(Faults(Text.Replace(written, instead, StringComparison.Ordinal)), told => told.Contains(fault, StringComparison.Ordinal));
    }

    private static List<string> Faults(string text)
    {
        var document = StatusDocument.Parse(text);
        return [.. ReasonFaults(document), .. StateFaults(document), .. RetryFaults(document), .. EventFaults(document), .. FieldFaults(document)];
    }

    private static IEnumerable<string> ReasonFaults(StatusDocument document) => Both(
        Constants(typeof(Reasons)), document.AllReasons, reason => $"{reason} is in no table", reason => $"{reason} is no reason of the code");

    private static IEnumerable<string> StateFaults(StatusDocument document)
    {
        var (documented, types) = (document.Triples.ToHashSet(), Constants(typeof(ConditionTypes)).ToHashSet());
        var shown = ShownStatus.All.SelectMany(status => status.Triples.Select(triple => (status.Name, Triple: triple))).ToLookup(pair => pair.Triple, pair => pair.Name);
        return shown.Where(triple => !documented.Contains(triple.Key)).Select(triple => $"\"{triple.First()}\" has {Text3(triple.Key)}, which is in no row")
            .Concat(documented.Where(triple => !shown.Contains(triple) && !NotMet.Contains(triple.Reason)).Select(triple => $"no case shows {Text3(triple)}"))
            .Concat(documented.Where(triple => shown.Contains(triple) && NotMet.Contains(triple.Reason)).Select(triple => $"{Text3(triple)} is met after all"))
            .Concat(documented.Where(triple => !types.Contains(triple.Type)).Select(triple => $"{triple.Type} is no condition"));

        static string Text3((string Type, string Status, string Reason) triple) => $"{triple.Type}={triple.Status} {triple.Reason}";
    }

    private static IEnumerable<string> RetryFaults(StatusDocument document) =>
        from row in document.FailureRows
        let first = RetryPolicy.After(new FailureStatus { Reason = row.Reason }, attempt: 1, retries: 3, Given.Now)
        let again = first.NextRetryAt is null ? "never" : first.NeedsPerson ? "rarely" : "soon"
        where again != row.TriedAgain
        select $"{row.Reason} is tried again {again}, not {row.TriedAgain}";

    private static IEnumerable<string> EventFaults(StatusDocument document)
    {
        var shown = ShownStatus.All.SelectMany(status => status.Events.Select(told => (status.Name, Event: (told.Type, told.Reason, told.Action)))).ToLookup(pair => pair.Event, pair => pair.Name);
        var documented = document.Events.SelectMany(row => row.Reasons.Select(reason => (row.Type, Reason: reason, row.Action))).ToHashSet();
        return shown.Where(told => !documented.Contains(told.Key)).Select(told => $"\"{told.First()}\" tells {Text3(told.Key)}, which is in no row")
            .Concat(document.Events.Where(row => !row.Reasons.Any(reason => shown.Contains((row.Type, reason, row.Action)))).Select(row => $"no case tells {row.Type} {row.Reasons[0]} {row.Action}"));

        static string Text3((string Type, string Reason, string Action) told) => $"{told.Type} {told.Reason} {told.Action}";
    }

    private static IEnumerable<string> FieldFaults(StatusDocument document)
    {
        (string Name, Type Type)[] parts =
        [
            ("build", typeof(BuildStatus)), ("data", typeof(DataStatus)), ("change", typeof(ChangeStatus)), ("consumers", typeof(ConsumersStatus)),
        ];
        var fields = parts.SelectMany(part => part.Type.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
            .Select(property => $"status.{part.Name}.{JsonNamingPolicy.CamelCase.ConvertName(property.Name)}").Prepend($"status.{part.Name}"));
        return Both(fields, document.Fields, field => $"{field} is in no row", field => $"{field} is no field");
    }

    private static IEnumerable<string> Both(IEnumerable<string> code, IEnumerable<string> documented, Func<string, string> missing, Func<string, string> invented)
    {
        var (there, written) = (code.ToHashSet(), documented.ToHashSet());
        return there.Except(written).Select(missing).Concat(written.Except(there).Select(invented));
    }

    private static IEnumerable<string> Constants(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
}
