using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace IndexOperator.Indexing;

/// <summary>
/// The inner loops of a greedy blend. All implementations give the same numbers: product and difference of
/// <c>weight * factor - rounds</c> are rounded one after the other, never fused.
/// </summary>
internal interface IBlendVectors
{
    /// <summary>Computes all errors and gives the largest.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="rounds">How often each was drawn.</param>
    /// <param name="errors">Receives the errors.</param>
    /// <param name="count">How many; a multiple of <see cref="BlendVectors.Step"/>, not 0.</param>
    /// <param name="factor">The factor.</param>
    static abstract double Largest(ref double weights, ref double rounds, ref double errors, int count, double factor);

    /// <summary>Which of up to 64 errors equal this one, a bit each.</summary>
    static abstract ulong SlotsWith(ref double errors, int count, double error);

    /// <summary>
    /// Adds one, by a write as wide as the reads of <see cref="Largest"/>: a vector read after a narrower write waits until that has left
    /// the processor's write buffer.
    /// </summary>
    static abstract void Increment(ref double rounds, int slot);

    /// <summary>Finds the groups whose error at the end of a block lies above a threshold; see <see cref="BlendGroups.Above"/>.</summary>
    static abstract int Above(
        ReadOnlySpan<double> weights, ReadOnlySpan<double> rounds, double from, double to, double threshold, Span<int> above, out (double Error, double Weight) leftOut);
}

/// <summary>What both implementations share.</summary>
internal static class BlendVectors
{
    /// <summary>Numbers looked at in a step: four vectors of four.</summary>
    public const int Step = 16;

    /// <summary>For each set of lanes, these lanes side by side.</summary>
    public static ReadOnlySpan<int> Packed =>
    [
        0, 0, 0, 0, /**/ 0, 0, 0, 0, /**/ 1, 0, 0, 0, /**/ 0, 1, 0, 0,
        2, 0, 0, 0, /**/ 0, 2, 0, 0, /**/ 1, 2, 0, 0, /**/ 0, 1, 2, 0,
        3, 0, 0, 0, /**/ 0, 3, 0, 0, /**/ 1, 3, 0, 0, /**/ 0, 1, 3, 0,
        2, 3, 0, 0, /**/ 0, 2, 3, 0, /**/ 1, 2, 3, 0, /**/ 0, 1, 2, 3,
    ];

    /// <summary>A one with zeros around it: read from 3 - n on, it has the one in lane n.</summary>
    public static ReadOnlySpan<double> One => [0, 0, 0, 1, 0, 0, 0];
}

/// <summary>In the vectors that the compiler was told of: on x86-64 compiled ahead for every processor, those have two numbers.</summary>
internal readonly struct PortableVectors : IBlendVectors
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Largest(ref double weights, ref double rounds, ref double errors, int count, double factor)
    {
        var factors = Vector256.Create(factor);
        var (largest, other) = (Vector256.Create(double.NegativeInfinity), Vector256.Create(double.NegativeInfinity));
        for (nuint i = 0; i < (nuint)count; i += BlendVectors.Step)
        {
            var a = (Vector256.LoadUnsafe(ref weights, i) * factors) - Vector256.LoadUnsafe(ref rounds, i);
            var b = (Vector256.LoadUnsafe(ref weights, i + 4) * factors) - Vector256.LoadUnsafe(ref rounds, i + 4);
            var c = (Vector256.LoadUnsafe(ref weights, i + 8) * factors) - Vector256.LoadUnsafe(ref rounds, i + 8);
            var d = (Vector256.LoadUnsafe(ref weights, i + 12) * factors) - Vector256.LoadUnsafe(ref rounds, i + 12);
            a.StoreUnsafe(ref errors, i);
            b.StoreUnsafe(ref errors, i + 4);
            c.StoreUnsafe(ref errors, i + 8);
            d.StoreUnsafe(ref errors, i + 12);
            largest = Vector256.MaxNative(largest, Vector256.MaxNative(a, b));
            other = Vector256.MaxNative(other, Vector256.MaxNative(c, d));
        }

        largest = Vector256.MaxNative(largest, other);
        var half = Vector128.MaxNative(largest.GetLower(), largest.GetUpper());
        return Math.Max(half[0], half[1]);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SlotsWith(ref double errors, int count, double error)
    {
        var wanted = Vector256.Create(error);
        var slots = 0UL;
        for (nuint i = 0; i < (nuint)count; i += BlendVectors.Step)
        {
            var a = Vector256.ExtractMostSignificantBits(Vector256.Equals(Vector256.LoadUnsafe(ref errors, i), wanted));
            var b = Vector256.ExtractMostSignificantBits(Vector256.Equals(Vector256.LoadUnsafe(ref errors, i + 4), wanted));
            var c = Vector256.ExtractMostSignificantBits(Vector256.Equals(Vector256.LoadUnsafe(ref errors, i + 8), wanted));
            var d = Vector256.ExtractMostSignificantBits(Vector256.Equals(Vector256.LoadUnsafe(ref errors, i + 12), wanted));
            slots |= (ulong)((a | (b << 4)) | ((c << 8) | (d << 12))) << (int)i;
        }

        return slots;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Increment(ref double rounds, int slot)
    {
        var (vector, lane) = ((nuint)(slot & ~3), (nuint)(slot & 3));
        (Vector256.LoadUnsafe(ref rounds, vector) + Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(BlendVectors.One), 3 - lane)).StoreUnsafe(ref rounds, vector);
    }

    /// <inheritdoc/>
    public static int Above(
        ReadOnlySpan<double> weights, ReadOnlySpan<double> rounds, double from, double to, double threshold, Span<int> above, out (double Error, double Weight) leftOut)
    {
        var (first, last) = (Vector256.Create(from), Vector256.Create(to));
        var thresholds = Vector256.Create(threshold);
        var errors = Vector256.Create(double.NegativeInfinity);
        var heaviest = Vector256<double>.Zero;
        var found = 0;
        for (var i = 0; i < weights.Length; i += Vector256<double>.Count)
        {
            var (weight, drawn) = (Vector256.Create(weights.Slice(i, 4)), Vector256.Create(rounds.Slice(i, 4)));
            var isAbove = Vector256.GreaterThan((weight * last) - drawn, thresholds);
            errors = Vector256.MaxNative(errors, Vector256.ConditionalSelect(isAbove, errors, (weight * first) - drawn));
            heaviest = Vector256.MaxNative(heaviest, Vector256.AndNot(weight, isAbove));

            // Four numbers are always written, and those that do not count overwritten: which groups lie above cannot be
            // foretold, and a wrongly foretold branch costs more than the rest of the step.
            var lanes = (int)Vector256.ExtractMostSignificantBits(isAbove);
            (Vector128.Create(i) + Vector128.Create(BlendVectors.Packed.Slice(4 * lanes, 4))).CopyTo(above[found..]);
            found += BitOperations.PopCount((uint)lanes);
        }

        leftOut = (double.NegativeInfinity, 0);
        for (var lane = 0; lane < Vector256<double>.Count; lane++)
        {
            leftOut = (Math.Max(leftOut.Error, errors[lane]), Math.Max(leftOut.Weight, heaviest[lane]));
        }

        return found;
    }
}

/// <summary>
/// The same by AVX2, asked for by name: a program compiled ahead for every x86-64 processor has its wider vectors only so. To be used only
/// where <see cref="Avx2.IsSupported"/> says so.
/// </summary>
internal readonly struct Avx2Vectors : IBlendVectors
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Largest(ref double weights, ref double rounds, ref double errors, int count, double factor)
    {
        var factors = Broadcast(factor);
        var (largest, other) = (Broadcast(double.NegativeInfinity), Broadcast(double.NegativeInfinity));
        for (var i = 0; i < count; i += BlendVectors.Step)
        {
            var a = Error(ref weights, ref rounds, i, factors);
            var b = Error(ref weights, ref rounds, i + 4, factors);
            var c = Error(ref weights, ref rounds, i + 8, factors);
            var d = Error(ref weights, ref rounds, i + 12, factors);
            At(ref errors, i) = a;
            At(ref errors, i + 4) = b;
            At(ref errors, i + 8) = c;
            At(ref errors, i + 12) = d;
            largest = Avx.Max(largest, Avx.Max(a, b));
            other = Avx.Max(other, Avx.Max(c, d));
        }

        largest = Avx.Max(largest, other);
        var half = Sse2.Max(Avx.ExtractVector128(largest, 0), Avx.ExtractVector128(largest, 1));
        return Sse2.MaxScalar(half, Sse2.UnpackHigh(half, half)).ToScalar();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SlotsWith(ref double errors, int count, double error)
    {
        var wanted = Broadcast(error);
        var slots = 0UL;
        for (var i = 0; i < count; i += BlendVectors.Step)
        {
            var a = (uint)Avx.MoveMask(Avx.CompareEqual(At(ref errors, i), wanted));
            var b = (uint)Avx.MoveMask(Avx.CompareEqual(At(ref errors, i + 4), wanted));
            var c = (uint)Avx.MoveMask(Avx.CompareEqual(At(ref errors, i + 8), wanted));
            var d = (uint)Avx.MoveMask(Avx.CompareEqual(At(ref errors, i + 12), wanted));
            slots |= (ulong)((a | (b << 4)) | ((c << 8) | (d << 12))) << i;
        }

        return slots;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Increment(ref double rounds, int slot)
    {
        ref var vector = ref At(ref rounds, slot & ~3);
        vector = Avx.Add(vector, At(ref MemoryMarshal.GetReference(BlendVectors.One), 3 - (slot & 3)));
    }

    /// <inheritdoc/>
    public static int Above(
        ReadOnlySpan<double> weights, ReadOnlySpan<double> rounds, double from, double to, double threshold, Span<int> above, out (double Error, double Weight) leftOut)
    {
        // Nothing below is checked again: whole vectors of both, and room for all numbers. No more than i are found before step i.
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length % 4, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds.Length, weights.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(above.Length, weights.Length);
        ref var weight = ref MemoryMarshal.GetReference(weights);
        ref var round = ref MemoryMarshal.GetReference(rounds);
        ref var packed = ref MemoryMarshal.GetReference(BlendVectors.Packed);
        ref var next = ref MemoryMarshal.GetReference(above);
        var (first, last, thresholds) = (Broadcast(from), Broadcast(to), Broadcast(threshold));
        var (errors, heaviest) = (Broadcast(double.NegativeInfinity), Vector256<double>.Zero);
        var found = 0;
        for (var i = 0; i < weights.Length; i += 4)
        {
            var isAbove = Avx.CompareGreaterThan(Error(ref weight, ref round, i, last), thresholds);
            errors = Avx.Max(errors, Avx.BlendVariable(Error(ref weight, ref round, i, first), errors, isAbove));
            heaviest = Avx.Max(heaviest, Avx.AndNot(isAbove, At(ref weight, i)));
            var lanes = Avx.MoveMask(isAbove);
            var numbers = Sse2.Add(Vector128.Create(i), Unsafe.As<int, Vector128<int>>(ref Unsafe.Add(ref packed, 4 * lanes)));
            Unsafe.As<int, Vector128<int>>(ref Unsafe.Add(ref next, found)) = numbers;
            found += BitOperations.PopCount((uint)lanes);
        }

        leftOut = (Largest(errors), Largest(heaviest));
        return found;
    }

    private static double Largest(Vector256<double> numbers)
    {
        var half = Sse2.Max(Avx.ExtractVector128(numbers, 0), Avx.ExtractVector128(numbers, 1));
        return Math.Max(half.ToScalar(), half.GetElement(1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Error(ref double weights, ref double rounds, int i, Vector256<double> factors) =>
        Avx.Subtract(Avx.Multiply(At(ref weights, i), factors), At(ref rounds, i));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref Vector256<double> At(ref double numbers, int i) => ref Unsafe.As<double, Vector256<double>>(ref Unsafe.Add(ref numbers, i));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Broadcast(double number) => Avx2.BroadcastScalarToVector256(Vector128.CreateScalarUnsafe(number));
}
