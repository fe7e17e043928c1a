using System.Numerics;
using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>Whether many numbers of an <c>.idx</c> are as they must be; which one is not, <see cref="IdxFormat"/> finds one by one.</summary>
internal static class IdxVectors
{
    /// <summary>Whether no pointer is negative, and each is as many bytes behind the one before it as that one's sequence is long.</summary>
    public static bool FollowLengths(ReadOnlySpan<long> pointers, ReadOnlySpan<int> lengths, int itemSize)
    {
        var shift = BitOperations.Log2((uint)itemSize);
        ref var pointer = ref MemoryMarshal.GetReference(pointers);
        ref var length = ref MemoryMarshal.GetReference(lengths);
        var (wrong, signs) = (Vector<long>.Zero, Vector<long>.Zero);
        var (i, steps) = (0, pointers.Length - 1);
        for (; i <= steps - Vector<int>.Count; i += Vector<int>.Count)
        {
            var (low, high) = (Vector.LoadUnsafe(ref pointer, (nuint)i), Vector.LoadUnsafe(ref pointer, (nuint)(i + Vector<long>.Count)));
            var (nextLow, nextHigh) = (Vector.LoadUnsafe(ref pointer, (nuint)(i + 1)), Vector.LoadUnsafe(ref pointer, (nuint)(i + 1 + Vector<long>.Count)));
            Vector.Widen(Vector.LoadUnsafe(ref length, (nuint)i), out var stepLow, out var stepHigh);
            wrong |= ((nextLow - low) ^ (stepLow << shift)) | ((nextHigh - high) ^ (stepHigh << shift));
            signs |= low | high;
        }

        var (rest, sign) = (0L, 0L);
        for (; i < steps; i++)
        {
            rest |= (pointers[i + 1] - pointers[i]) ^ ((long)lengths[i] << shift);
            sign |= pointers[i];
        }

        return rest == 0 && (sign | pointers[^1]) >= 0 && wrong == Vector<long>.Zero && Vector.GreaterThanOrEqualAll(signs, Vector<long>.Zero);
    }

    /// <summary>Whether no number is negative or less than the one before it.</summary>
    public static bool NeverFall(ReadOnlySpan<long> numbers)
    {
        ref var number = ref MemoryMarshal.GetReference(numbers);
        var signs = Vector<long>.Zero;
        var (i, steps) = (0, numbers.Length - 1);
        for (; i <= steps - Vector<long>.Count; i += Vector<long>.Count)
        {
            var current = Vector.LoadUnsafe(ref number, (nuint)i);
            signs |= current | (Vector.LoadUnsafe(ref number, (nuint)(i + 1)) - current);
        }

        var sign = numbers[^1];
        for (; i < steps; i++)
        {
            sign |= numbers[i] | (numbers[i + 1] - numbers[i]);
        }

        return sign >= 0 && Vector.GreaterThanOrEqualAll(signs, Vector<long>.Zero);
    }
}
