using System.Text;

namespace TextCorpus;

/// <summary>Documents for one dataset.</summary>
/// <param name="Documents">The texts.</param>
/// <param name="FilesUsed">Texts that they were made of.</param>
/// <param name="Remark">What a person should know: splitting, other sources; empty when there is nothing.</param>
public sealed record Corpus(IReadOnlyList<string> Documents, int FilesUsed, string Remark)
{
    private const int MinDocumentLength = 40;

    /// <summary>
    /// Takes <paramref name="count"/> documents of a source: whole texts if there are enough of them, else texts cut at
    /// blank lines, and at last lines and windows over the same texts.
    /// </summary>
    public static Corpus Collect(TextSource source, int count)
    {
        var remarks = new List<string>();
        var texts = source.ReadTexts().Take(count).ToList();
        var size = texts.Sum(text => (long)text.Length);
        if (size < MinDocumentLength * (long)count)
        {
            remarks.Add($"{source.Name} has only {texts.Count} texts of {size} characters here; other text of the machine fills up");
            texts.AddRange(TextSource.Fallback.ReadTexts().Take(count));
        }

        if (texts.Count >= count)
        {
            return new Corpus(texts.GetRange(0, count), count, string.Join("; ", remarks));
        }

        var documents = Cut(texts, "\n\n", count);
        var unit = "paragraphs";
        if (documents.Count < count)
        {
            documents = Cut(texts, "\n", count);
            unit = "lines";
        }

        if (documents.Count == 0)
        {
            documents.Add("This machine has no text to make documents of.");
        }

        for (var i = 0; documents.Count < count; i++)
        {
            documents.Add($"{documents[i]}\n({documents.Count})");
        }

        remarks.Add($"{texts.Count} texts were cut into {unit} to make {count} documents");
        return new Corpus(documents, texts.Count, string.Join("; ", remarks));
    }

    /// <summary>Writes the documents as a dataset of byte tokens (0 to 255), each ended by token 256, as uint16.</summary>
    /// <returns>Tokens written.</returns>
    public long Write(string prefix)
    {
        using var writer = new IndexedDatasetWriter(prefix);
        var tokens = 0L;
        foreach (var document in Documents)
        {
            tokens += AddDocument(writer, document);
        }

        return tokens;
    }

    /// <summary>Adds documents to a dataset that is there, as a data pipeline would: by writing both files anew.</summary>
    /// <returns>Documents in the dataset afterwards.</returns>
    public static int Append(string prefix, int count)
    {
        var (lengths, tokens) = ReadBack(prefix);
        var temporary = prefix + ".growing";
        int total;
        using (var writer = new IndexedDatasetWriter(temporary))
        {
            var at = 0;
            foreach (var length in lengths)
            {
                writer.AddRaw(tokens.AsSpan(at, 2 * length));
                writer.EndDocument();
                at += 2 * length;
            }

            for (var i = 0; i < count; i++)
            {
                AddDocument(writer, $"Document {lengths.Length + i} was appended to {Path.GetFileName(prefix)} after the first index was built.");
            }

            total = writer.Sequences;
        }

        File.Move(temporary + ".bin", prefix + ".bin", overwrite: true);
        File.Move(temporary + ".idx", prefix + ".idx", overwrite: true);
        return total;
    }

    private static int AddDocument(IndexedDatasetWriter writer, string document)
    {
        var bytes = Encoding.UTF8.GetBytes(document);
        var tokens = new byte[2 * (bytes.Length + 1)];
        for (var i = 0; i < bytes.Length; i++)
        {
            tokens[2 * i] = bytes[i];
        }

        tokens[^1] = 1; // 256, little-endian: the end of the document.
        writer.AddRaw(tokens);
        writer.EndDocument();
        return bytes.Length + 1;
    }

    private static (int[] Lengths, byte[] Tokens) ReadBack(string prefix)
    {
        using var idx = new BinaryReader(File.OpenRead(prefix + ".idx"));
        idx.BaseStream.Seek(18, SeekOrigin.Begin);
        var count = checked((int)idx.ReadUInt64());
        idx.BaseStream.Seek(34, SeekOrigin.Begin);
        var lengths = new int[count];
        for (var i = 0; i < count; i++)
        {
            lengths[i] = idx.ReadInt32();
        }

        return (lengths, File.ReadAllBytes(prefix + ".bin"));
    }

    /// <summary>Cuts texts at a mark until there are enough pieces; pieces too short to be a document join the next one.</summary>
    private static List<string> Cut(List<string> texts, string mark, int count)
    {
        // Texts stay as whole as they can: only so many pieces are cut of each as are needed in all.
        var perText = (count / Math.Max(1, texts.Count)) + 1;
        var pieces = new List<string>();
        var rests = new List<string>();
        foreach (var text in texts)
        {
            var found = Pieces(text, mark).ToList();
            pieces.AddRange(found.Take(perText));
            rests.AddRange(found.Skip(perText));
        }

        pieces.AddRange(rests.Take(Math.Max(0, count - pieces.Count)));
        return pieces.Count > count ? pieces.GetRange(0, count) : pieces;
    }

    private static IEnumerable<string> Pieces(string text, string mark)
    {
        var open = "";
        foreach (var part in text.Split(mark, StringSplitOptions.RemoveEmptyEntries))
        {
            open = open.Length == 0 ? part : open + mark + part;
            if (open.Length >= MinDocumentLength)
            {
                yield return open;
                open = "";
            }
        }

        if (open.Length > 0)
        {
            yield return open;
        }
    }
}
