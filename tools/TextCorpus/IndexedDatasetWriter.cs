namespace TextCorpus;

/// <summary>
/// Writes a Megatron dataset: <c>prefix.bin</c> with the tokens back to back, and <c>prefix.idx</c> as
/// <c>megatron/core/datasets/indexed_dataset.py</c> lays it out.
/// </summary>
public sealed class IndexedDatasetWriter : IDisposable
{
    private readonly string _prefix;
    private readonly byte _typeCode;
    private readonly int _itemSize;
    private readonly FileStream _bin;
    private readonly List<int> _lengths = [];
    private readonly List<long> _documents = [0];

    /// <summary>Begins a dataset, over an older one if there is one.</summary>
    /// <param name="prefix">Path without extension.</param>
    /// <param name="wide">False for uint16 tokens, true for int32.</param>
    public IndexedDatasetWriter(string prefix, bool wide = false)
    {
        _prefix = prefix;
        (_typeCode, _itemSize) = wide ? ((byte)4, 4) : ((byte)8, 2);
        _bin = new FileStream(prefix + ".bin", FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
    }

    /// <summary>Sequences so far.</summary>
    public int Sequences => _lengths.Count;

    /// <summary>Adds a sequence to the document under way.</summary>
    public void AddSequence(ReadOnlySpan<int> tokens)
    {
        var bytes = new byte[tokens.Length * _itemSize];
        for (var i = 0; i < tokens.Length; i++)
        {
            if (_itemSize == 2)
            {
                BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), checked((ushort)tokens[i]));
            }
            else
            {
                BitConverter.TryWriteBytes(bytes.AsSpan(4 * i), tokens[i]);
            }
        }

        AddRaw(bytes);
    }

    /// <summary>Adds a sequence whose tokens are little-endian bytes already.</summary>
    public void AddRaw(ReadOnlySpan<byte> tokens)
    {
        _bin.Write(tokens);
        _lengths.Add(tokens.Length / _itemSize);
    }

    /// <summary>Adds a sequence of a length whose tokens do not matter; the file has a hole there.</summary>
    public void AddHole(int length)
    {
        _bin.Seek((long)length * _itemSize, SeekOrigin.Current);
        _lengths.Add(length);
    }

    /// <summary>Ends the document under way.</summary>
    public void EndDocument() => _documents.Add(_lengths.Count);

    /// <summary>Ends the dataset: writes the <c>.idx</c>.</summary>
    public void Dispose()
    {
        _bin.SetLength(_lengths.Sum(length => (long)length) * _itemSize);
        _bin.Dispose();
        using var idx = new BinaryWriter(new BufferedStream(File.Create(_prefix + ".idx"), 1 << 20));
        idx.Write("MMIDIDX\0\0"u8);
        idx.Write(1UL);
        idx.Write(_typeCode);
        idx.Write((ulong)_lengths.Count);
        idx.Write((ulong)_documents.Count);
        _lengths.ForEach(idx.Write);
        var pointer = 0L;
        foreach (var length in _lengths)
        {
            idx.Write(pointer);
            pointer += (long)length * _itemSize;
        }

        _documents.ForEach(idx.Write);
    }
}
