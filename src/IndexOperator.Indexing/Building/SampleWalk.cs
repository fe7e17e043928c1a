using System.Numerics;

namespace IndexOperator.Indexing;

/// <summary>
/// Finds where samples begin by the lengths of documents, one after the other: a sample ends with the document that has its
/// last token, and the next one begins as many extra tokens before that end.
/// </summary>
/// <typeparam name="TNumber">The width of the numbers.</typeparam>
/// <param name="rows">Rows in all, the first of which is (0, 0).</param>
/// <param name="sequenceLength">Tokens from one sample's begin to the next one's.</param>
/// <param name="extraTokens">Tokens that neighbours share.</param>
/// <param name="write">Gets blocks of rows (position of the document, offset of the token in it).</param>
internal sealed class SampleWalk<TNumber>(long rows, long sequenceLength, int extraTokens, Action<ReadOnlySpan<TNumber>> write)
    where TNumber : unmanaged, INumberBase<TNumber>
{
    private const int RowsPerBlock = 1 << 15;

    private readonly TNumber[] _block = new TNumber[2 * (int)Math.Min(RowsPerBlock, rows)];
    private long _left = rows - 1;
    private int _filled = 2;
    private long _position;
    private int _lastLength;

    // Tokens from the beginning of the next document to the last one of the sample that is under way.
    private long _missing = sequenceLength + extraTokens;

    /// <summary>True when there are all rows.</summary>
    public bool IsFull => _left == 0;

    /// <summary>Where the row of a last, partial sample ends in the last document; negative when that is empty and tokens are shared.</summary>
    public long LastOffset => (long)_lastLength - extraTokens;

    /// <summary>Goes on over the lengths of the next documents.</summary>
    public void Over(ReadOnlySpan<int> lengths)
    {
        var (position, missing) = (_position, _missing);
        foreach (var length in lengths)
        {
            while (length >= missing && _left > 0)
            {
                Add(position, missing - extraTokens);
                missing += sequenceLength;
            }

            missing -= length;
            position++;
        }

        (_position, _missing) = (position, missing);
        _lastLength = lengths.IsEmpty ? _lastLength : lengths[^1];
    }

    /// <summary>Adds what is missing behind the last document, where there is only its end, and hands out the last block.</summary>
    public void Finish()
    {
        while (_left > 0)
        {
            Add(_position - 1, LastOffset);
        }

        write(_block.AsSpan(0, _filled));
    }

    private void Add(long position, long offset)
    {
        if (_filled == _block.Length)
        {
            write(_block);
            _filled = 0;
        }

        _block[_filled] = TNumber.CreateTruncating(position);
        _block[_filled + 1] = TNumber.CreateTruncating(offset);
        _filled += 2;
        _left--;
    }
}
