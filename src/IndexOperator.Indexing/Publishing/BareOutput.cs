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
        var output = new OutputDirectory(files, directory);
        try
        {
            files.CreateDirectory(directory);
            DiskSpace.ThrowIfShort(files, directory, plan);
            var written = IndexBuilder.Build(plan, output, options);
            foreach (var dataset in plan.Data)
            {
                IndexedDatasetReader.ThrowIfChanged(dataset);
            }

            output.Commit();
            return (plan, written);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Writing into {directory}", isWrite: true);
        }
        finally
        {
            output.Discard();
        }
    }
}
