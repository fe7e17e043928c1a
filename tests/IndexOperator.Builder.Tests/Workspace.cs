using System.Globalization;
using System.Security.Cryptography;
using TextCorpus;

namespace IndexOperator.Builder.Tests;

/// <summary>A directory with a corpus and manifests, removed when the test ends.</summary>
internal sealed class Workspace : IDisposable
{
    public Workspace()
    {
        Path = Directory.CreateTempSubdirectory("builder-tests-").FullName;
        Directory.CreateDirectory(this["corpus"]);
    }

    public string Path { get; }

    public string Cache => this["cache"];

    public string Map => "/data=" + this["corpus"];

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public IReadOnlyList<string> Versions => Entries("cache/versions");

    public IReadOnlyList<string> Staging => Entries("cache/.staging");

    /// <summary>Writes a dataset of documents whose tokens are the bytes of "document i", each ended by 256.</summary>
    public void WriteText(string name, int documents)
    {
        using var writer = new IndexedDatasetWriter(this["corpus/" + name]);
        for (var i = 0; i < documents; i++)
        {
            writer.AddSequence([.. string.Create(CultureInfo.InvariantCulture, $"{name} {i}").Select(c => (int)c), 256]);
            writer.EndDocument();
        }
    }

    /// <summary>Writes a large dataset whose tokens are a hole in the file.</summary>
    public void WriteHoles(string name, int documents)
    {
        using var writer = new IndexedDatasetWriter(this["corpus/" + name]);
        for (var i = 0; i < documents; i++)
        {
            writer.AddHole(1 + (int)(i * 7919L % 100));
            writer.EndDocument();
        }
    }

    /// <summary>Writes a manifest; <paramref name="blend"/> and <paramref name="dataset"/> are YAML in flow style.</summary>
    public string WriteManifest(string blend, string dataset = "samples: {train: 50}", string name = "index.yaml")
    {
        File.WriteAllText(this[name], $$"""
            apiVersion: indexoperator.io/v1alpha1
            kind: PretrainIndex
            metadata: {name: web-mix, namespace: training}
            spec:
              dataVersion: "2026-11-20"
              data:
                claimName: corpus
                mountPath: /data
                blend: {{blend}}
              dataset:
                sequenceLength: 32
                split: "90,10,0"
                {{dataset}}
                tokenizer: {identifiers: '{"class": "ByteTokenizer"}'}
              cache: {claimName: npy-index}
            """);
        return this[name];
    }

    /// <summary>Name, size and SHA-256 of each file in a folder, by name.</summary>
    public IReadOnlyList<(string Name, long Bytes, string Sha256)> FilesOf(string folder) =>
    [
        .. new DirectoryInfo(this[folder]).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => (file.Name, file.Length, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file.FullName))))),
    ];

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private IReadOnlyList<string> Entries(string directory) => Directory.Exists(this[directory])
        ? [.. Directory.EnumerateFileSystemEntries(this[directory]).Order(StringComparer.Ordinal)]
        : [];
}
