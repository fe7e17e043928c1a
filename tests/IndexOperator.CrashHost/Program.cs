using System.Globalization;
using IndexOperator.CrashHost;
using IndexOperator.Indexing;

// Publishes one version and kills itself, by SIGKILL, before the n-th thing that it asks of the file system.
if (args is not [var cacheRoot, var prefix, var buildId, var deadly, var together])
{
    Console.Error.WriteLine("Usage: CrashHost CACHE_ROOT PREFIX BUILD_ID N TOGETHER   (N = 0: live, and print how many calls there are; TOGETHER: from how many small files on they are synced together)");
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
var options = new BuildOptions { Threads = 1, SyncTogetherFrom = int.Parse(together, CultureInfo.InvariantCulture) };
var result = CachePublisher.Publish(files, cacheRoot, request, path => path, new BuildIdentity(buildId, "crash host"), options);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{files.Calls} {result.Outcome}"));
return 0;
