namespace IndexOperator.Indexing;

/// <summary>Builds just Megatron's files into a directory that training uses as <c>index_mapping_dir</c>.</summary>
public static class BareOutput
{
    /// <summary>Builds; files appear when all are done, each whole, over an older one of its name if there is one.</summary>
    /// <returns>The plan and the files written.</returns>
    /// <exception cref="IndexingException">As for <see cref="CachePublisher.Publish"/>, without VersionCorrupt.</exception>
    public static (IndexPlan Plan, IReadOnlyList<IndexFile> Files) Write(
        ICacheFileSystem files,
        string directory,
        IndexRequest request,
        Func<string, string> locate,
        BuildOptions options)
    {
        RequestRules.Check(request);
        var plan = IndexPlanner.Create(request, DatasetLoader.Load(request, locate, options));
        try
        {
            files.CreateDirectory(directory);
            DiskSpace.ThrowIfShort(files, directory, plan);
            using var durable = DurableFiles.For(files, directory, plan, options);
            return (plan, Write(plan, new OutputDirectory(files, directory, durable), options));
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Writing into {directory}", isWrite: true);
        }
    }

    private static IReadOnlyList<IndexFile> Write(IndexPlan plan, OutputDirectory output, BuildOptions options)
    {
        try
        {
            var written = IndexBuilder.Build(plan, output, options);
            Parallelism.ForEach(options, plan.Data.Count, i => IndexedDatasetReader.ThrowIfChanged(plan.Data[i]));

            output.Commit();
            return written;
        }
        finally
        {
            output.Discard();
        }
    }
}
