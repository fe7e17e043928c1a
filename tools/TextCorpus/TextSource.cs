using System.IO.Compression;
using System.Text;

namespace TextCorpus;

/// <summary>A kind of text that a Debian machine has, and where.</summary>
/// <param name="Name">Name of the dataset.</param>
/// <param name="Directories">Where to look, in order.</param>
/// <param name="Accepts">Whether a file belongs to it, by its path.</param>
public sealed record TextSource(string Name, IReadOnlyList<string> Directories, Func<string, bool> Accepts)
{
    private const int MaxFileBytes = 4 << 20;

    private static readonly string[] TextExtensions = [".txt", ".md", ".pod", ".xml", ".html", ".py", ".pm", ".rst", ".h", ".conf", ".list", ".json", ""];

    /// <summary>The sources that can be named.</summary>
    public static IReadOnlyList<TextSource> Known { get; } =
    [
        new("manpages", ["/usr/share/man", "/usr/share/info"], _ => true),
        new("docs", ["/usr/share/doc"], path => !IsLicence(path) && !IsForPrinters(path)),
        new("licences", ["/usr/share/common-licenses", "/usr/share/doc"], path => path.Contains("common-licenses", StringComparison.Ordinal) || IsLicence(path)),
    ];

    /// <summary>What is read where a source itself has no text, as in a minimal container image: documentation inside packages.</summary>
    public static TextSource Fallback { get; } = new(
        "fallback",
        ["/usr/share/common-licenses", "/usr/share/doc", "/usr/share/perl", "/usr/lib/python3", "/usr/share/dotnet", "/usr/share/perl5", "/etc"],
        path => TextExtensions.Contains(Path.GetExtension(path)));

    /// <summary>The texts of the source, in the order of their paths; files that are no text are left out.</summary>
    public IEnumerable<string> ReadTexts()
    {
        foreach (var path in Directories.Where(Directory.Exists).SelectMany(Files).Where(Accepts))
        {
            if (ReadText(path) is { Length: > 0 } text)
            {
                yield return text;
            }
        }
    }

    private static bool IsLicence(string path) => Path.GetFileName(path).StartsWith("copyright", StringComparison.Ordinal);

    // PostScript and its like are text only to a printer: nobody recognises a sample of it.
    private static bool IsForPrinters(string path)
    {
        var name = path.EndsWith(".gz", StringComparison.Ordinal) ? path[..^3] : path;
        return Path.GetExtension(name) is ".ps" or ".eps" or ".pdf" or ".svg" or ".fig" or ".css" or ".js";
    }

    private static IEnumerable<string> Files(string directory) => Directory
        .EnumerateFiles(directory, "*", new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.ReparsePoint,
        })
        .Order(StringComparer.Ordinal);

    private static string? ReadText(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
            var bytes = new byte[64 << 10];
            using var whole = new MemoryStream();
            for (int read; whole.Length < MaxFileBytes && (read = content.Read(bytes)) > 0;)
            {
                whole.Write(bytes, 0, read);
            }

            var text = whole.GetBuffer().AsSpan(0, (int)whole.Length);
            return text.Contains((byte)0) ? null : Encoding.UTF8.GetString(text).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null; // A file that cannot be read is no text; there are plenty of others.
        }
    }
}
