namespace IndexOperator.Indexing;

/// <summary>How to build; nothing here changes a byte of the result.</summary>
public sealed record BuildOptions
{
    /// <summary>Threads to use, 1 or more; the machine's processors by default.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Told about progress, from any thread; null for nobody.</summary>
    public IBuildProgress? Progress { get; init; }

    /// <summary>Gives the time for the timings in the manifest.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>For how long the data must not have been written to before it is read; 0 = read it as it is.</summary>
    public TimeSpan Quiet { get; init; }

    /// <summary>Whether a published version that is in the way and corrupt is moved aside, kept for a person, and built anew; else it is an error.</summary>
    public bool Repair { get; init; }

    /// <summary>
    /// From what size on, in bytes, an <c>.idx</c> file may be read to its end beside the building. Below it there is nothing to win, and
    /// each file that is not read to its end stays open.
    /// </summary>
    internal long ReadBesideFrom { get; init; } = 8L << 20;

    /// <summary>From what size on, in bytes, a file of a version is checked block by block, so that several threads share it.</summary>
    internal long VerifyBlocksFrom { get; init; } = 4L << 20;

    /// <summary>How many small files are so many that they are made durable together; see <see cref="DurableFiles"/>.</summary>
    internal int SyncTogetherFrom { get; init; } = 64;

    /// <summary>Stops the build; nothing is published then and staging is removed.</summary>
    public CancellationToken CancellationToken { get; init; }
}

/// <summary>What a build is doing.</summary>
public enum BuildPhase
{
    /// <summary>Waiting until nobody writes to the data any more.</summary>
    AwaitData,

    /// <summary>Reading, checking and hashing <c>.idx</c> files; counted in bytes.</summary>
    ReadData,

    /// <summary>Choosing the member of each sample of blends; counted in samples.</summary>
    BlendIndex,

    /// <summary>Filling, shuffling and writing document indices; counted, with the next two, in <see cref="BuildUnits"/>.</summary>
    DocumentIndex,

    /// <summary>Walking documents into samples.</summary>
    SampleIndex,

    /// <summary>Shuffling and writing samples.</summary>
    ShuffleIndex,

    /// <summary>Writing the manifest and renaming; counted in steps.</summary>
    Publish,

    /// <summary>Checking files that are already there; counted in bytes.</summary>
    Verify,

    /// <summary>Copying a version elsewhere, or checking the copy that is there; counted in bytes.</summary>
    Stage,
}

/// <summary>Listens to a build. Called often and from several threads: be quick.</summary>
public interface IBuildProgress
{
    /// <summary>Some of a phase is done.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="completed">Units done, 0 to <paramref name="total"/>.</param>
    /// <param name="total">Units in all; 0 when there is nothing to do.</param>
    void Report(BuildPhase phase, long completed, long total);
}

/// <summary>Counts the units of phases that share one total.</summary>
internal sealed class PhaseProgress(IBuildProgress? listener, BuildPhase phase, long total)
{
    private long _completed;

    public void Advance(long units) => Advance(phase, units);

    public void Advance(BuildPhase current, long units)
    {
        var completed = Interlocked.Add(ref _completed, units);
        listener?.Report(current, Math.Min(completed, total), total);
    }

    public void Finish() => listener?.Report(phase, total, total);
}
