using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace IndexOperator.Indexing;

/// <summary>
/// Sizes and times of all data files as one short text: as long as it is the same, nobody has written to them. It costs a look at each
/// file's entry, where the fingerprint costs reading every <c>.idx</c>.
/// </summary>
public static class DataStamp
{
    private const int Digits = 32;

    /// <summary>The stamp of data that was read, as it was then; 32 hex digits.</summary>
    public static string Of(IEnumerable<IndexedDataset> data) => Of(data.Select(dataset => (dataset.Prefix, dataset.Idx, dataset.Bin)));

    /// <summary>The stamp of files; 32 hex digits.</summary>
    public static string Of(IEnumerable<(string Prefix, FileStamp Idx, FileStamp Bin)> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var text = new StringBuilder("indexoperator-stamp 1\n");
        foreach (var (prefix, idx, bin) in files.OrderBy(file => file.Prefix, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{PythonJson.Dump(prefix)}\t{idx.Bytes}\t{idx.ModifiedUtc.Ticks}\t{bin.Bytes}\t{bin.ModifiedUtc.Ticks}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text.ToString())))[..Digits];
    }
}
