using Xunit.Sdk;
using Xunit.v3;

namespace IndexOperator.E2E;

/// <summary>Runs the classes in any order but for the few that have a place at the end.</summary>
public sealed class LastThingsLast : ITestCollectionOrderer
{
    private static readonly string[] Last = [nameof(FullDiskTests), nameof(UninstallTests), nameof(ReleaseTests), nameof(LostNodeTests)];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Array.FindIndex(Last, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal)))];
}
