using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>
/// An array outside the managed heap: its memory goes back to the system when the buffer is disposed, not when the
/// collector comes round, so that the memory of a build can be told in advance (<see cref="IndexPlan.PeakArrayBytes"/>).
/// </summary>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private void* _memory;

    /// <param name="length">Items, uninitialised.</param>
    /// <exception cref="OutOfMemoryException">The system has not as much.</exception>
    public NativeBuffer(long length)
    {
        Length = (int)length;
        _memory = NativeMemory.Alloc((nuint)Math.Max(1, length), (nuint)sizeof(T));
    }

    ~NativeBuffer() => Free();

    /// <summary>Items.</summary>
    public int Length { get; }

    /// <summary>The items.</summary>
    public Span<T> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory is null, this);
            return new Span<T>(_memory, Length);
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }
}
