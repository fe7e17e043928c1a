using System.Text;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>Reads a text that somebody names: a file, or standard input by <c>-</c>.</summary>
internal static class TextInput
{
    /// <summary>Reads at most <see cref="DescriptionComparison.MaxCharacters"/> characters.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it cannot be read, or is longer.</exception>
    public static string Read(string path, string what)
    {
        try
        {
            using var reader = path == "-" ? Console.In : new StreamReader(path, Encoding.UTF8);
            var text = new StringBuilder();
            var block = new char[1 << 16];
            for (var read = reader.Read(block); read > 0; read = reader.Read(block))
            {
                text.Append(block, 0, read);
                if (text.Length > DescriptionComparison.MaxCharacters)
                {
                    throw new IndexingException(FailureReason.InvalidSpec, $"{what} {path} has more than {DescriptionComparison.MaxCharacters} characters. Name the right file.");
                }
            }

            return text.ToString();
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"{what} {path} cannot be read: {fault.Message} Name a file, or - for standard input.", fault);
        }
    }
}
