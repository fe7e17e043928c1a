using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IndexOperator.Indexing;

/// <summary>
/// The inner loops of a greedy blend. Product and difference of <c>weight * factor - rounds</c> are rounded one after the other, never fused.
/// </summary>
/// <remarks>
/// In vectors of two numbers: every x86-64 processor has them, and a program compiled ahead for all of them has no others, as the compiler
/// answers "no" for AVX then without asking the processor. Vectors of four, which it puts together from two of these, are slower.
/// </remarks>
internal static class BlendVectors
{
    /// <summary>Numbers looked at in a step: four vectors.</summary>
    public const int Step = 8;

    /// <summary>Computes all errors and gives the largest.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="rounds">How often each was drawn.</param>
    /// <param name="errors">Receives the errors.</param>
    /// <param name="count">How many; a multiple of <see cref="Step"/>, not 0.</param>
    /// <param name="factor">The factor.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Largest(ref double weights, ref double rounds, ref double errors, int count, double factor)
    {
        var factors = Vector128.Create(factor);
        var a = Vector128.Create(double.NegativeInfinity);
        var (b, c, d) = (a, a, a);
        for (var i = 0; i < count; i += Step)
        {
            a = Vector128.MaxNative(a, Error(ref weights, ref rounds, ref errors, i, factors));
            b = Vector128.MaxNative(b, Error(ref weights, ref rounds, ref errors, i + 2, factors));
            c = Vector128.MaxNative(c, Error(ref weights, ref rounds, ref errors, i + 4, factors));
            d = Vector128.MaxNative(d, Error(ref weights, ref rounds, ref errors, i + 6, factors));
        }

        var largest = Vector128.MaxNative(Vector128.MaxNative(a, b), Vector128.MaxNative(c, d));
        return Vector128.MaxNative(largest, Vector128.Shuffle(largest, Vector128.Create(1L, 0))).ToScalar();
    }

    /// <summary>Which of up to 64 errors equal this one, a bit each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SlotsWith(ref double errors, int count, double error)
    {
        var wanted = Vector128.Create(error);
        var slots = 0UL;
        for (var i = 0; i < count; i += Step)
        {
            var a = Vector128.ExtractMostSignificantBits(Vector128.Equals(At(ref errors, i), wanted));
            var b = Vector128.ExtractMostSignificantBits(Vector128.Equals(At(ref errors, i + 2), wanted));
            var c = Vector128.ExtractMostSignificantBits(Vector128.Equals(At(ref errors, i + 4), wanted));
            var d = Vector128.ExtractMostSignificantBits(Vector128.Equals(At(ref errors, i + 6), wanted));
            slots |= (ulong)((a | (b << 2)) | ((c << 4) | (d << 6))) << i;
        }

        return slots;
    }

    /// <summary>
    /// Adds one, by a write as wide as the reads of <see cref="Largest"/>: a vector read after a narrower write waits until that has left
    /// the processor's write buffer.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Increment(ref double rounds, int slot) =>
        At(ref rounds, slot & ~1) += At(ref MemoryMarshal.GetReference(One), 1 - (slot & 1));

    /// <summary>Finds the groups whose error at the end of a block lies above a threshold; see <see cref="BlendGroups.Above"/>.</summary>
    public static int Above(
        ReadOnlySpan<double> weights, ReadOnlySpan<double> rounds, double from, double to, double threshold, Span<int> above, out (double Error, double Weight) leftOut)
    {
        Check(weights, rounds, above);
        ref var weight = ref MemoryMarshal.GetReference(weights);
        ref var round = ref MemoryMarshal.GetReference(rounds);
        ref var next = ref MemoryMarshal.GetReference(above);
        var (first, last, thresholds) = (Vector128.Create(from), Vector128.Create(to), Vector128.Create(threshold));
        var errors = Vector128.Create(double.NegativeInfinity);
        var (otherErrors, heaviest, otherHeaviest) = (errors, Vector128<double>.Zero, Vector128<double>.Zero);
        var found = 0;
        for (var i = 0; i < weights.Length; i += 4)
        {
            var (a, b) = (At(ref weight, i), At(ref weight, i + 2));
            var (drawnA, drawnB) = (At(ref round, i), At(ref round, i + 2));
            var aboveA = Vector128.GreaterThan((a * last) - drawnA, thresholds);
            var aboveB = Vector128.GreaterThan((b * last) - drawnB, thresholds);

            var lanes = Vector128.ExtractMostSignificantBits(aboveA) | (Vector128.ExtractMostSignificantBits(aboveB) << 2);
            errors = Vector128.MaxNative(errors, Vector128.ConditionalSelect(aboveA, errors, (a * first) - drawnA));
            otherErrors = Vector128.MaxNative(otherErrors, Vector128.ConditionalSelect(aboveB, otherErrors, (b * first) - drawnB));
            heaviest = Vector128.MaxNative(heaviest, Vector128.AndNot(a, aboveA));
            otherHeaviest = Vector128.MaxNative(otherHeaviest, Vector128.AndNot(b, aboveB));

            // Four numbers are always written, and those that do not count overwritten: which groups lie above cannot be
            // foretold, and a wrongly foretold branch costs more than the rest of the step.
            var numbers = Vector128.Create(i) + Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(Packed), 4 * lanes);
            numbers.StoreUnsafe(ref next, (nuint)found);
            found += BitOperations.PopCount(lanes);
        }

        errors = Vector128.MaxNative(errors, otherErrors);
        heaviest = Vector128.MaxNative(heaviest, otherHeaviest);
        leftOut = (Math.Max(errors[0], errors[1]), Math.Max(heaviest[0], heaviest[1]));
        return found;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> Error(ref double weights, ref double rounds, ref double errors, int i, Vector128<double> factors)
    {
        var error = (At(ref weights, i) * factors) - At(ref rounds, i);
        At(ref errors, i) = error;
        return error;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref Vector128<double> At(ref double numbers, int i) => ref Unsafe.As<double, Vector128<double>>(ref Unsafe.Add(ref numbers, i));

    /// <summary>What need not be checked again: there are whole vectors, and room for all numbers, as no more than i are found before step i.</summary>
    private static void Check(ReadOnlySpan<double> weights, ReadOnlySpan<double> rounds, Span<int> above)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length % 4, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds.Length, weights.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(above.Length, weights.Length);
    }

    /// <summary>For each set of lanes, these lanes side by side.</summary>
    private static ReadOnlySpan<int> Packed =>
    [
        0, 0, 0, 0, /**/ 0, 0, 0, 0, /**/ 1, 0, 0, 0, /**/ 0, 1, 0, 0,
        2, 0, 0, 0, /**/ 0, 2, 0, 0, /**/ 1, 2, 0, 0, /**/ 0, 1, 2, 0,
        3, 0, 0, 0, /**/ 0, 3, 0, 0, /**/ 1, 3, 0, 0, /**/ 0, 1, 3, 0,
        2, 3, 0, 0, /**/ 0, 2, 3, 0, /**/ 1, 2, 3, 0, /**/ 0, 1, 2, 3,
    ];

    /// <summary>A one with zeros around it: read from 1 - n on, it has the one in lane n.</summary>
    private static ReadOnlySpan<double> One => [0, 1, 0];
}
