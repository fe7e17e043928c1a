namespace IndexOperator.Indexing;

/// <summary>
/// What documents and samples count in <see cref="BuildPhase.DocumentIndex"/>, <see cref="BuildPhase.SampleIndex"/> and
/// <see cref="BuildPhase.ShuffleIndex"/>, which share one total: a unit is about 7 ns, so that progress in units is
/// progress in time.
/// </summary>
public static class BuildUnits
{
    /// <summary>Drawing a number for a document and swapping it there: misses of the caches.</summary>
    internal const int ShuffledDocument = 2;

    /// <summary>Looking up a document's length and walking over it.</summary>
    internal const int WalkedDocument = 2;

    /// <summary>Hashing and writing a document's entry, and waiting for the disk.</summary>
    internal const int WrittenDocument = 2;

    /// <summary>Shuffling a sample: there are few, and the caches hold more of them.</summary>
    internal const int ShuffledSample = 1;

    /// <summary>Writing a sample's entry.</summary>
    internal const int WrittenSample = 1;

    /// <summary>The units of a plan's datasets.</summary>
    public static long In(IndexPlan plan) => plan.Datasets.Sum(dataset =>
        ((ShuffledDocument + WalkedDocument + WrittenDocument) * dataset.DocumentIndexLength) + ((ShuffledSample + WrittenSample) * dataset.SampleCount));
}
