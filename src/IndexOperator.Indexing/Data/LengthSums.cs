using System.Numerics;
using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>Sum, smallest and largest of sequence lengths in one pass.</summary>
internal static class LengthSums
{
    /// <summary>Sum in 64 bits, smallest and largest value; (0, 0, 0) of nothing.</summary>
    public static (long Sum, int Smallest, int Largest) Of(ReadOnlySpan<int> lengths)
    {
        if (lengths.IsEmpty)
        {
            return (0, 0, 0);
        }

        var sums = Vector<long>.Zero;
        var smallest = new Vector<int>(int.MaxValue);
        var largest = new Vector<int>(int.MinValue);
        var vectors = MemoryMarshal.Cast<int, Vector<int>>(lengths);
        foreach (ref readonly var vector in vectors)
        {
            Vector.Widen(vector, out var low, out var high);
            sums += low + high;
            smallest = Vector.Min(smallest, vector);
            largest = Vector.Max(largest, vector);
        }

        var sum = Vector.Sum(sums);
        var (min, max) = (int.MaxValue, int.MinValue);
        for (var lane = 0; lane < Vector<int>.Count; lane++)
        {
            (min, max) = (Math.Min(min, smallest[lane]), Math.Max(max, largest[lane]));
        }

        foreach (var length in lengths[(vectors.Length * Vector<int>.Count)..])
        {
            sum += length;
            (min, max) = (Math.Min(min, length), Math.Max(max, length));
        }

        return (sum, min, max);
    }
}
