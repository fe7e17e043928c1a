using System.Globalization;
using System.Text.Json.Nodes;

namespace IndexOperator.E2E;

/// <summary>
/// The process of a training pod as the node has it: what it sees, asked through /proc, since its image has no shell and no tools.
/// </summary>
public sealed class TrainingProcess
{
    private readonly string _folder;

    private TrainingProcess(int id) => _folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{id}");

    /// <summary>The process of a pod that was started with <see cref="Cluster.SleepArguments"/>.</summary>
    public static TrainingProcess Of(JsonNode pod) => new(Assert.Single(Cluster.ProcessesOf(pod, "/nowhere")));

    /// <summary>A variable of its environment; null when it has none of the name.</summary>
    public string? Variable(string name) => File.ReadAllText($"{_folder}/environ").Split('\0')
        .FirstOrDefault(variable => variable.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

    /// <summary>The type of the file system that is mounted at a folder.</summary>
    public string FileSystemAt(string folder) => File.ReadLines($"{_folder}/mountinfo").Select(line => line.Split(' '))
        .Last(mount => mount[4] == folder)
        .SkipWhile(field => field != "-").ElementAt(1);

    /// <summary>Asserts that a file cannot be written to or made, not even by root, since its mount is read-only.</summary>
    public void CannotWrite(string file)
    {
        var refusal = Assert.Throws<IOException>(() => File.Open($"{_folder}/root{file}", FileMode.OpenOrCreate, FileAccess.Write).Dispose());
        Assert.Contains("Read-only file system", refusal.Message, StringComparison.Ordinal);
    }
}
