using System.Globalization;
using IndexOperator.CrashHost;
using IndexOperator.Indexing;

// Publishes one version and kills itself, by SIGKILL, before the n-th thing that it asks of the file system.
if (args is not [var cacheRoot, var prefix, var buildId, var deadly])
{
    Console.Error.WriteLine("Usage: CrashHost CACHE_ROOT PREFIX BUILD_ID N   (N = 0: live, and print how many calls there are)");
    return 2;
}

var files = new DeadlyFileSystem(int.Parse(deadly, CultureInfo.InvariantCulture));
var request = new IndexRequest
{
    Blend = [new BlendEntry(prefix, 0.7), new BlendEntry(prefix, 0.3)],
    Split = "80,10,10",
    SequenceLength = 16,
    Samples = new(400, 20, 20),
    TokenizerIdentifiers = """{"class": "ByteTokenizer"}""",
    MidLevelDatasetSurplus = 0.5,
};
var result = CachePublisher.Publish(files, cacheRoot, request, path => path, new BuildIdentity(buildId, "crash host"), new BuildOptions { Threads = 1 });
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{files.Calls} {result.Outcome}"));
return 0;
