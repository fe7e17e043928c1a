using System.Runtime.ExceptionServices;

namespace IndexOperator.Indexing;

/// <summary>
/// Runs pieces of work on a fixed number of threads, in their order. A piece may hand a part of itself to whichever thread
/// is free, and gets it back to do itself when none was: no more threads work than were asked for, and none waits for work
/// that nobody does.
/// </summary>
internal sealed class WorkPool
{
    private readonly object _gate = new();
    private readonly Queue<Part> _parts = new();
    private readonly IReadOnlyList<Action<WorkPool>> _pieces;
    private readonly CancellationToken _cancellationToken;
    private int _next;
    private int _running;
    private Exception? _failure;

    private WorkPool(IReadOnlyList<Action<WorkPool>> pieces, CancellationToken cancellationToken)
    {
        _pieces = pieces;
        _cancellationToken = cancellationToken;
    }

    /// <summary>Runs all pieces; after a failure none begins any more, and the first failure is thrown once those that run have ended.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Run(int threads, IReadOnlyList<Action<WorkPool>> pieces, CancellationToken cancellationToken)
    {
        var pool = new WorkPool(pieces, cancellationToken);
        var others = Enumerable.Range(1, threads - 1).Select(_ => new Thread(pool.Work) { IsBackground = true }).ToList();
        others.ForEach(thread => thread.Start());
        pool.Work();
        others.ForEach(thread => thread.Join());
        if (pool._failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Does one thing here, and another beside it where a thread is free, else after it; both are done, or have failed, when this returns.</summary>
    /// <param name="pool">The threads; null to do both here.</param>
    /// <param name="here">What this thread does.</param>
    /// <param name="beside">What another may do.</param>
    public static void Both(WorkPool? pool, Action here, Action beside)
    {
        if (pool is null)
        {
            here();
            beside();
            return;
        }

        var part = pool.Fork(beside);
        try
        {
            here();
        }
        finally
        {
            pool.Join(part);
        }
    }

    /// <summary>Offers a part of a piece to a free thread. Each must be given to <see cref="Join"/>, also when the piece fails.</summary>
    public Part Fork(Action work)
    {
        var part = new Part(work);
        lock (_gate)
        {
            _parts.Enqueue(part);
            Monitor.PulseAll(_gate);
        }

        return part;
    }

    /// <summary>Does the part if nobody has begun with it, else waits until it is done; throws what it threw.</summary>
    public void Join(Part part)
    {
        if (part.TryBegin())
        {
            part.Do();
        }

        lock (_gate)
        {
            while (!part.IsDone)
            {
                Monitor.Wait(_gate);
            }
        }

        if (part.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private void Work()
    {
        while (Take() is { } work)
        {
            try
            {
                work();
            }
#pragma warning disable CA1031 // Thrown again by Run.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                Fail(failure);
            }
            finally
            {
                lock (_gate)
                {
                    _running--;
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    /// <summary>Parts first: what waits for them holds memory. Null when there is nothing and nobody runs who could make any.</summary>
    private Action? Take()
    {
        lock (_gate)
        {
            while (true)
            {
                while (_parts.TryDequeue(out var part))
                {
                    if (part.TryBegin())
                    {
                        _running++;
                        return part.Do;
                    }
                }

                if (_next < _pieces.Count && _failure is null && !_cancellationToken.IsCancellationRequested)
                {
                    _running++;
                    var piece = _pieces[_next++];
                    return () => piece(this);
                }

                if (_running == 0)
                {
                    return null;
                }

                Monitor.Wait(_gate);
            }
        }
    }

    // That something was cancelled tells less than why.
    private void Fail(Exception failure)
    {
        lock (_gate)
        {
            if (_failure is null or OperationCanceledException)
            {
                _failure = failure;
            }
        }
    }

    /// <summary>A part of a piece of work.</summary>
    internal sealed class Part(Action work)
    {
        private int _begun;

        /// <summary>Whether it has ended, well or not.</summary>
        public bool IsDone { get; private set; }

        /// <summary>What it threw.</summary>
        public Exception? Failure { get; private set; }

        /// <summary>True for the one who is to do it.</summary>
        public bool TryBegin() => Interlocked.Exchange(ref _begun, 1) == 0;

        /// <summary>Does it.</summary>
        public void Do()
        {
            try
            {
                work();
            }
#pragma warning disable CA1031 // Thrown again where it is joined.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                Failure = failure;
            }

            IsDone = true;
        }
    }
}
