namespace IndexOperator.Runtime;

/// <summary>
/// A connection for the writes of one term. The fence is asked again at the last possible point, right before bytes go to the kernel: a
/// request passes through queues, threads and encryption after <see cref="ApiClient"/> has asked, and a process that is frozen among them
/// sends it when it wakes up, long after another replica has taken over.
/// </summary>
internal sealed class FencedStream(Stream inner, IWriteFence fence) : Stream
{
    private readonly int _term = fence.Enter().Number;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override int Read(Span<byte> buffer) => inner.Read(buffer);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Check();
        inner.Write(buffer);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Check();
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    // As a broken connection, which is what the transport expects of a stream: it gives this one up and makes another in the next term.
    private void Check()
    {
        try
        {
            if (fence.Enter().Number != _term)
            {
                throw new LeadershipLostException("the connection belongs to an earlier term of this replica");
            }
        }
        catch (LeadershipLostException lost)
        {
            throw new IOException(lost.Message, lost);
        }
    }
}
