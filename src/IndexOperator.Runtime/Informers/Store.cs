using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>
/// What an informer knows of the cluster. Objects in it are shared by everyone who reads: never change one, make a
/// copy (<c>with</c>).
/// </summary>
/// <typeparam name="T">The type of object.</typeparam>
public sealed class Store<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const string OwnerIndex = "owner-uid";

    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, T> _objects = [];
    private readonly Dictionary<string, Index> _indexes = [];

    /// <summary>How many objects there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _objects.Count;
            }
        }
    }

    /// <summary>The object, or null.</summary>
    public T? Get(ObjectKey key)
    {
        lock (_gate)
        {
            return _objects.GetValueOrDefault(key);
        }
    }

    /// <summary>All objects, as of now.</summary>
    public IReadOnlyList<T> List()
    {
        lock (_gate)
        {
            return [.. _objects.Values];
        }
    }

    /// <summary>The keys of all objects, as of now.</summary>
    public IReadOnlyList<ObjectKey> Keys()
    {
        lock (_gate)
        {
            return [.. _objects.Keys];
        }
    }

    /// <summary>Adds an index: the values that each object is found under. Adding one that exists changes nothing.</summary>
    public void AddIndex(string name, Func<T, IEnumerable<string>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        lock (_gate)
        {
            if (_indexes.ContainsKey(name))
            {
                return;
            }

            var index = new Index(values);
            foreach (var (key, entity) in _objects)
            {
                index.Add(key, entity);
            }

            _indexes.Add(name, index);
        }
    }

    /// <summary>Adds the index that <see cref="OwnedBy"/> reads.</summary>
    public void AddOwnerIndex() =>
        AddIndex(OwnerIndex, static entity => entity.Metadata?.OwnerReferences?.Select(owner => owner.Uid) ?? []);

    /// <summary>The objects found under a value of an index, without looking at any other.</summary>
    public IReadOnlyList<T> ByIndex(string name, string value)
    {
        lock (_gate)
        {
            return _indexes.TryGetValue(name, out var index)
                ? [.. index.Find(value).Select(key => _objects[key])]
                : throw new InvalidOperationException($"no index {name}: add it before reading");
        }
    }

    /// <summary>The objects that name an owner of this uid; needs <see cref="AddOwnerIndex"/>.</summary>
    public IReadOnlyList<T> OwnedBy(string uid) => ByIndex(OwnerIndex, uid);

    internal T? Put(ObjectKey key, T entity)
    {
        lock (_gate)
        {
            var old = _objects.GetValueOrDefault(key);
            _objects[key] = entity;
            foreach (var index in _indexes.Values)
            {
                index.Remove(key);
                index.Add(key, entity);
            }

            return old;
        }
    }

    internal T? Remove(ObjectKey key)
    {
        lock (_gate)
        {
            if (!_objects.Remove(key, out var old))
            {
                return null;
            }

            foreach (var index in _indexes.Values)
            {
                index.Remove(key);
            }

            return old;
        }
    }

    private sealed class Index(Func<T, IEnumerable<string>> values)
    {
        private readonly Dictionary<string, HashSet<ObjectKey>> _keys = [];
        private readonly Dictionary<ObjectKey, string[]> _values = [];

        public HashSet<ObjectKey> Find(string value) => _keys.TryGetValue(value, out var keys) ? keys : [];

        public void Add(ObjectKey key, T entity)
        {
            string[] found = [.. values(entity).Where(value => value is not null).Distinct()];
            if (found.Length == 0)
            {
                return;
            }

            _values[key] = found;
            foreach (var value in found)
            {
                if (!_keys.TryGetValue(value, out var keys))
                {
                    _keys[value] = keys = [];
                }

                keys.Add(key);
            }
        }

        public void Remove(ObjectKey key)
        {
            if (!_values.Remove(key, out var found))
            {
                return;
            }

            foreach (var value in found)
            {
                if (_keys.TryGetValue(value, out var keys) && keys.Remove(key) && keys.Count == 0)
                {
                    _keys.Remove(value);
                }
            }
        }
    }
}
