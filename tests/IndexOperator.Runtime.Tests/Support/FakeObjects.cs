using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace IndexOperator.Runtime.Tests;

/// <summary>What the fake server stores, and the log of changes that its watches follow.</summary>
internal sealed class FakeObjects
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(string Collection, string Namespace, string Name), JsonObject> _objects = [];
    private readonly List<(long Version, string Collection, string? Namespace, string Line)> _log = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version = 100;
    private long _oldest;

    public string Version
    {
        get
        {
            lock (_gate)
            {
                return Text(_version);
            }
        }
    }

    public static JsonObject Status(int code, string reason, string message) => new()
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["status"] = code < 300 ? "Success" : "Failure",
        ["reason"] = reason,
        ["message"] = message,
        ["code"] = code,
    };

    public JsonObject Put(string collection, string ns, string name, JsonObject? rest)
    {
        lock (_gate)
        {
            var old = _objects.GetValueOrDefault((collection, ns, name));
            var entity = (rest ?? []).DeepClone().AsObject();
            var metadata = entity["metadata"] as JsonObject ?? [];
            entity["metadata"] = metadata;
            metadata["name"] = name;
            if (ns.Length > 0)
            {
                metadata["namespace"] = ns;
            }

            metadata["uid"] = old?["metadata"]?["uid"]?.DeepClone() ?? Guid.NewGuid().ToString();
            metadata["resourceVersion"] = Text(++_version);
            _objects[(collection, ns, name)] = entity;
            Log(old is null ? "ADDED" : "MODIFIED", collection, ns, entity);
            return entity.DeepClone().AsObject();
        }
    }

    public void Remove(string collection, string ns, string name)
    {
        lock (_gate)
        {
            if (_objects.Remove((collection, ns, name), out var old))
            {
                var last = old.DeepClone().AsObject();
                last["metadata"]!["resourceVersion"] = Text(++_version);
                Log("DELETED", collection, ns, last);
            }
        }
    }

    public JsonObject? Find(string collection, string ns, string name)
    {
        lock (_gate)
        {
            return _objects.GetValueOrDefault((collection, ns, name))?.DeepClone().AsObject();
        }
    }

    public (List<JsonObject> Items, string Version) List(string collection, string? ns)
    {
        lock (_gate)
        {
            return ([.. _objects.Where(o => o.Key.Collection == collection && (ns is null || o.Key.Namespace == ns)).Select(o => o.Value.DeepClone().AsObject())], Text(_version));
        }
    }

    public void Bookmark(string collection)
    {
        lock (_gate)
        {
            _version++;
            Log("BOOKMARK", collection, null, new JsonObject { ["kind"] = "X", ["metadata"] = new JsonObject { ["resourceVersion"] = Text(_version), ["creationTimestamp"] = null } });
        }
    }

    /// <summary>Forgets history: watches from before now get 410.</summary>
    public void Compact()
    {
        lock (_gate)
        {
            _oldest = _version;
            _log.Clear();
        }
    }

    public async IAsyncEnumerable<string> WatchAsync(
        string collection, string? ns, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            List<(long Version, string Line)> news;
            Task changed;
            bool gone;
            lock (_gate)
            {
                gone = from < _oldest;
                news = [.. _log.Where(e => e.Version > from && e.Collection == collection && (ns is null || e.Namespace is null || e.Namespace == ns)).Select(e => (e.Version, e.Line))];
                changed = _changed.Task;
            }

            if (gone)
            {
                yield return new JsonObject { ["type"] = "ERROR", ["object"] = Status(410, "Expired", "too old resource version") }.ToJsonString();
                yield break;
            }

            foreach (var (version, line) in news)
            {
                from = version;
                yield return line;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    public (int Code, JsonObject Answer) Handle(HttpRequest request, FakePath target, string body)
    {
        lock (_gate)
        {
            var key = (target.Collection, target.Namespace ?? "", target.Name ?? "");
            var found = _objects.GetValueOrDefault(key);
            switch (request.Method)
            {
                case "GET" when target.Name is null:
                    return (200, Page(request, target));
                case "POST" when target.Collection.EndsWith("/selfsubjectaccessreviews", StringComparison.Ordinal):
                    var review = JsonNode.Parse(body)!.AsObject();
                    review["status"] = new JsonObject { ["allowed"] = true };
                    return (201, review);
                case "POST":
                    var made = JsonNode.Parse(body)!.AsObject();
                    var name = made["metadata"]!["name"]!.GetValue<string>();
                    return _objects.ContainsKey((target.Collection, target.Namespace ?? "", name))
                        ? Refuse(409, "AlreadyExists")
                        : (201, Put(target.Collection, target.Namespace ?? "", name, made));
                case "PATCH" when request.ContentType == "application/apply-patch+yaml":
                    return (200, Put(target.Collection, key.Item2, key.Item3, Merge(found ?? [], JsonNode.Parse(body)!.AsObject())));
                case "PATCH" when request.ContentType == "application/json-patch+json" && IsStale(found, JsonNode.Parse(body)!.AsArray()):
                    return Refuse(409, "Conflict");
                case var _ when found is null:
                    return Refuse(404, "NotFound");
                case "GET":
                    return (200, found.DeepClone().AsObject());
                case "PATCH" when request.ContentType == "application/json-patch+json":
                    return FakeJsonPatch.Apply(found, JsonNode.Parse(body)!.AsArray()) is { } patched ? (200, Put(target.Collection, key.Item2, key.Item3, patched)) : Refuse(422, "Invalid");
                case "DELETE":
                    return (200, Delete(key, found));
                default:
                    var sent = JsonNode.Parse(body)!.AsObject();
                    var expected = sent["metadata"]?["resourceVersion"]?.GetValue<string>();
                    return expected is not null && expected != found["metadata"]!["resourceVersion"]!.GetValue<string>()
                        ? Refuse(409, "Conflict")
                        : (200, Replace(key, request.Method == "PUT" ? sent : Merge(found, sent)));
            }
        }
    }

    private static (int Code, JsonObject Answer) Refuse(int code, string reason) => (code, Status(code, reason, $"made up {reason}"));

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    // A replaced version is a precondition.
    private static bool IsStale(JsonObject? found, JsonArray operations) => found is not null && operations.Any(operation =>
        (string?)operation!["path"] == "/metadata/resourceVersion" && (string?)operation["value"] != (string?)found["metadata"]!["resourceVersion"]);

    private static JsonObject Merge(JsonObject target, JsonObject patch)
    {
        var result = target.DeepClone().AsObject();
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                result[name] = value is JsonObject inner ? Merge(result[name] as JsonObject ?? [], inner) : value.DeepClone();
            }
        }

        return result;
    }

    private JsonObject Page(HttpRequest request, FakePath target)
    {
        var (items, version) = List(target.Collection, target.Namespace);
        var limit = request.Query.TryGetValue("limit", out var text) ? int.Parse(text!, CultureInfo.InvariantCulture) : int.MaxValue;
        var skip = request.Query.TryGetValue("continue", out var token) ? int.Parse(token!, CultureInfo.InvariantCulture) : 0;
        var metadata = new JsonObject { ["resourceVersion"] = version };
        if (items.Count - skip > limit)
        {
            metadata["continue"] = Text(skip + limit);
        }

        return new JsonObject { ["kind"] = "List", ["metadata"] = metadata, ["items"] = new JsonArray([.. items.Skip(skip).Take(limit)]) };
    }

    private JsonObject Delete((string, string, string) key, JsonObject found)
    {
        if (found["metadata"]!["finalizers"] is JsonArray { Count: > 0 })
        {
            var marked = found.DeepClone().AsObject();
            marked["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
            return Put(key.Item1, key.Item2, key.Item3, marked);
        }

        Remove(key.Item1, key.Item2, key.Item3);
        return Status(200, "", "deleted");
    }

    private JsonObject Replace((string, string, string) key, JsonObject entity)
    {
        var stored = Put(key.Item1, key.Item2, key.Item3, entity);
        if (stored["metadata"]!["deletionTimestamp"] is not null && stored["metadata"]!["finalizers"] is not JsonArray { Count: > 0 })
        {
            Remove(key.Item1, key.Item2, key.Item3);
        }

        return stored;
    }

    private void Log(string type, string collection, string? ns, JsonObject entity)
    {
        var line = new JsonObject { ["type"] = type, ["object"] = entity.DeepClone() }.ToJsonString();
        _log.Add((_version, collection, ns, line));
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }
}
