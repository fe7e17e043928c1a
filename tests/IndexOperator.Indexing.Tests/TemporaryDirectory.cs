namespace IndexOperator.Indexing.Tests;

/// <summary>A directory of a test's own, removed when the test ends.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory() => Path = Directory.CreateTempSubdirectory("indexing-tests-").FullName;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public IReadOnlyList<string> FilesUnder(string name) => Directory.Exists(this[name])
        ? [.. Directory.EnumerateFiles(this[name], "*", SearchOption.AllDirectories).Select(file => System.IO.Path.GetRelativePath(this[name], file)).Order(StringComparer.Ordinal)]
        : [];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
