using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>
/// Memory for one index array. Not an array of the runtime, because those end below 2^31 items, because a container's
/// limit leaves only three quarters to the collector, and because this memory is free again the moment it is not needed.
/// </summary>
/// <typeparam name="T">What an item is.</typeparam>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private T* _items;

    /// <summary>Allocates; the content is undefined.</summary>
    /// <param name="length">Items, 0 to 2^40.</param>
    /// <param name="what">What the memory is for, as the beginning of a sentence.</param>
    /// <exception cref="IndexingException">OutOfMemory.</exception>
    public NativeBuffer(long length, string what)
    {
        Length = length;
        try
        {
            _items = (T*)NativeMemory.Alloc((nuint)length, (nuint)sizeof(T));
        }
        catch (OutOfMemoryException fault)
        {
            throw new IndexingException(
                FailureReason.OutOfMemory,
                $"{what} has {length} entries, {length * sizeof(T)} bytes in memory at once, and there is not that much. Give the build more memory, or ask for fewer samples.",
                fault);
        }
    }

    /// <summary>Frees what nobody disposed of.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Items.</summary>
    public long Length { get; }

    /// <summary>The first item; valid until this is disposed of.</summary>
    public T* Items => _items;

    /// <summary>One item, for code that is not the engine's inner loop: that reads <see cref="Items"/> unchecked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such item.</exception>
    public T this[long index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Length);
            return _items[index];
        }
    }

    /// <summary>Some neighbouring items.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not all inside.</exception>
    public Span<T> Slice(long first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Length);
        return new Span<T>(_items + first, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(_items);
        _items = null;
    }
}
