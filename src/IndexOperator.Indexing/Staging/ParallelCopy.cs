using System.Collections.Concurrent;

namespace IndexOperator.Indexing;

/// <summary>
/// Copies files on several threads at the speed of the source, and computes their checksums on others meanwhile. Every
/// thread takes the next piece of the next file in turn, so that many reads are under way, also of one large file. A buffer
/// is there before a piece is taken: the oldest piece is always on its way, and nothing waits for ever.
/// </summary>
internal sealed class ParallelCopy : IDisposable
{
    /// <summary>Bytes of a piece: one request for a network file system, and small enough for the caches between the processors.</summary>
    public const int ChunkBytes = 1 << 20;

    private const int MaxBuffers = 48;
    private const int BuffersPerThread = 4;

    private readonly PhaseProgress _progress;
    private readonly int _threads;
    private readonly Queue<FileCopy> _waiting;
    private readonly List<FileCopy> _active = [];
    private readonly List<FileCopy> _all;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop;
    private readonly SemaphoreSlim _free;
    private readonly ConcurrentBag<byte[]> _buffers = [];
    private readonly CountdownEvent _hashers = new(1);
    private Exception? _fault;
    private int _turn;

    public ParallelCopy(string source, string destination, IEnumerable<IndexFile> files, PhaseProgress progress, BuildOptions options)
    {
        _progress = progress;
        _threads = options.Threads;
        _all = [.. files.OrderByDescending(file => file.Bytes).Select(file => new FileCopy(file, source, destination))];
        _waiting = new Queue<FileCopy>(_all);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
        _free = new SemaphoreSlim(Math.Clamp(_threads * BuffersPerThread, BuffersPerThread, MaxBuffers));
    }

    /// <summary>Copies everything.</summary>
    /// <exception cref="IndexingException">VersionCorrupt, naming the file.</exception>
    /// <exception cref="IOException">Whatever storage throws.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public void Run()
    {
        var readers = Enumerable.Range(0, _threads).Select(_ => Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Task.WaitAll(readers);
        _hashers.Signal();
        _hashers.Wait();
        if (_fault is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_fault);
        }
    }

    public void Dispose()
    {
        _all.ForEach(file => file.Dispose());
        _stop.Dispose();
        _free.Dispose();
        _hashers.Dispose();
    }

    private void Read()
    {
        try
        {
            while (true)
            {
                _free.Wait(_stop.Token);
                if (Next() is not var (file, number))
                {
                    _free.Release();
                    return;
                }

                var chunk = file.Copy(number, _buffers.TryTake(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(ChunkBytes));
                if (file.Add(number, chunk))
                {
                    _hashers.AddCount();
                    ThreadPool.UnsafeQueueUserWorkItem(Hash, file, preferLocal: false);
                }
            }
        }
#pragma warning disable CA1031 // Whatever ends one thread has to end all, and is thrown by the one that waits for them.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Fail(fault);
        }
    }

    private void Hash(FileCopy file)
    {
        try
        {
            file.Hash(chunk =>
            {
                _stop.Token.ThrowIfCancellationRequested();
                _progress.Advance(chunk.Length);
                _buffers.Add(chunk.Bytes);
                _free.Release();
            });
            file.FinishIfHashed();
        }
#pragma warning disable CA1031 // As above.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Fail(fault);
        }
        finally
        {
            _hashers.Signal();
        }
    }

    /// <summary>The next piece of the next file in turn; null when all are taken.</summary>
    private (FileCopy File, long Number)? Next()
    {
        lock (_lock)
        {
            while (_active.Count < _threads && _waiting.TryDequeue(out var next))
            {
                next.Open(VersionVerifier.Corrupt);
                if (next.IsTaken)
                {
                    next.FinishIfHashed(); // An empty file.
                }
                else
                {
                    _active.Add(next);
                }
            }

            if (_active.Count == 0)
            {
                return null;
            }

            _turn = (_turn + 1) % _active.Count;
            var file = _active[_turn];
            var number = file.Take();
            if (file.IsTaken)
            {
                _active.RemoveAt(_turn);
            }

            return (file, number);
        }
    }

    private void Fail(Exception fault)
    {
        // The first fault counts; that others were told to stop because of it is none.
        if (Interlocked.CompareExchange(ref _fault, fault, null) is null)
        {
            _stop.Cancel();
        }
    }
}
