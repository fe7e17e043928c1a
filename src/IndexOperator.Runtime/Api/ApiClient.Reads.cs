using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

public sealed partial class ApiClient
{
    private const int RestartsBeforeFullList = 3;

    /// <summary>Reads one object.</summary>
    public Task<T> GetAsync<T>(ResourceType<T> type, ObjectKey key, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        return ExecuteAsync(HttpMethod.Get, type.ObjectPath(key), null, ReadAs(type.Item), _options.RequestTimeout, cancellationToken);
    }

    /// <summary>Reads one object, or null when there is none.</summary>
    public async Task<T?> FindAsync<T>(ResourceType<T> type, ObjectKey key, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return await GetAsync(type, key, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Lists page by page. When the server forgets the continue token the list starts anew: the next page then has
    /// <see cref="ListPage{T}.IsFirst"/> and the earlier ones no longer count.
    /// </summary>
    public async IAsyncEnumerable<ListPage<T>> ListPagesAsync<T>(
        ResourceType<T> type, ListQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(query);
        var read = ReadAs(type.Page);
        var token = default(string);
        var resourceVersion = "";
        var restarts = 0;
        while (true)
        {
            var limit = restarts < RestartsBeforeFullList ? query.Limit : 0;
            var path = WithQuery(
                type.CollectionPath(query.Namespace),
                ("labelSelector", query.LabelSelector),
                ("fieldSelector", query.FieldSelector),
                ("limit", limit > 0 ? limit.ToString(CultureInfo.InvariantCulture) : null),
                ("continue", token));
            var page = default(ListPage<T>);
            try
            {
                page = await ExecuteAsync(HttpMethod.Get, path, null, read, _options.ListTimeout, cancellationToken);
            }
            catch (ApiException e) when (e.IsGone && token is not null)
            {
                restarts++;
                token = null;
                continue;
            }

            // The first page's version names the snapshot that all pages show.
            var isFirst = token is null;
            resourceVersion = isFirst ? page.ResourceVersion : resourceVersion;
            token = page.Continue;
            yield return page with { IsFirst = isFirst, ResourceVersion = resourceVersion };
            if (page.IsLast)
            {
                yield break;
            }
        }
    }

    /// <summary>Lists everything into memory. For what is known to be few; informers go page by page.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(ResourceType<T> type, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var all = new List<T>();
        await foreach (var page in ListPagesAsync(type, query, cancellationToken))
        {
            if (page.IsFirst)
            {
                all.Clear();
            }

            all.AddRange(page.Items);
        }

        return all;
    }

    /// <summary>
    /// Watches from a resource version on. Ends when the server ends it, which it does after <paramref name="timeout"/>
    /// on a quiet day; a failure that the server reports arrives as an event of kind Error.
    /// </summary>
    /// <param name="type">The resource.</param>
    /// <param name="query">Which objects; the limit does not apply.</param>
    /// <param name="resourceVersion">Where to start.</param>
    /// <param name="timeout">When the server should end the watch.</param>
    /// <param name="cancellationToken">Ends the watch from this side.</param>
    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        ResourceType<T> type,
        ListQuery query,
        string resourceVersion,
        TimeSpan timeout,
        [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(query);
        var path = WithQuery(
            type.CollectionPath(query.Namespace),
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", resourceVersion),
            ("timeoutSeconds", Math.Max(1, (int)timeout.TotalSeconds).ToString(CultureInfo.InvariantCulture)),
            ("labelSelector", query.LabelSelector),
            ("fieldSelector", query.FieldSelector));
        using var response = await OpenWatchAsync(path, cancellationToken);
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var change in JsonLines.ReadAsync(stream, type.WatchEvent, cancellationToken))
        {
            yield return change;
        }
    }

    /// <summary>Reads the end of a container's log.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="container">The container; null when there is one only.</param>
    /// <param name="tailLines">At most so many of the last lines.</param>
    /// <param name="limitBytes">At most so many bytes; the client enforces it too.</param>
    /// <param name="previous">The log of the previous run of the container.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<string> GetPodLogAsync(
        ObjectKey pod, string? container, int tailLines, int limitBytes, bool previous, CancellationToken cancellationToken)
    {
        var path = WithQuery(
            KnownResources.Pods.ObjectPath(pod, "log"),
            ("container", container),
            ("tailLines", tailLines.ToString(CultureInfo.InvariantCulture)),
            ("limitBytes", limitBytes.ToString(CultureInfo.InvariantCulture)),
            ("previous", previous ? "true" : null));
        return ExecuteAsync(
            HttpMethod.Get,
            path,
            null,
            async (response, token) =>
            {
                using var stream = await response.Content.ReadAsStreamAsync(token);
                var buffer = new byte[limitBytes];
                var length = await stream.ReadAtLeastAsync(buffer, limitBytes, throwOnEndOfStream: false, token);
                return Encoding.UTF8.GetString(buffer, 0, length);
            },
            _options.RequestTimeout,
            cancellationToken);
    }

    /// <summary>
    /// Asks the server whether this client may do something, so that it need not be refused: a denied call looks like an attack to whoever
    /// reads audit logs. Everybody who has authenticated may ask; where even that is forbidden, or no answer is given, trying will tell.
    /// </summary>
    /// <param name="verb">What it would do, such as <c>list</c>.</param>
    /// <param name="type">With what.</param>
    /// <param name="key">With which object, or in which namespace; empty for all.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<bool> MayAsync<T>(string verb, ResourceType<T> type, ObjectKey key, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        var attributes = new V1ResourceAttributes { Group = type.Group, Resource = type.Plural, Verb = verb, NamespaceProperty = Named(key.Namespace), Name = Named(key.Name) };
        var review = new V1SelfSubjectAccessReview { Spec = new V1SelfSubjectAccessReviewSpec { ResourceAttributes = attributes } };
        try
        {
            return (await CreateAsync(KnownResources.SelfSubjectAccessReviews, review, cancellationToken)).Status?.Allowed != false;
        }
        catch (ApiException refusal) when (refusal.IsForbidden || refusal.IsNotFound)
        {
            return true;
        }

        static string? Named(string? text) => string.IsNullOrEmpty(text) ? null : text;
    }

    /// <summary>The version of the server, major and minor.</summary>
    public async Task<Version> GetServerVersionAsync(CancellationToken cancellationToken)
    {
        var info = await ExecuteAsync(HttpMethod.Get, "version", null, ReadAs(RuntimeJson.TypeInfo<VersionInfo>()), _options.RequestTimeout, cancellationToken);
        return new Version(Number(info.Major), Number(info.Minor));

        // Some distributions write "33+".
        static int Number(string? text) => int.TryParse(text?.TrimEnd('+'), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"the server tells no version, but {text}");
    }

    private async Task<HttpResponseMessage> OpenWatchAsync(string path, CancellationToken cancellationToken)
    {
        await _limiter.WaitAsync(cancellationToken);

        // Only the answer's head is under the request time-out: the body lasts as long as the watch.
        using var deadline = new CancellationTokenSource(_options.RequestTimeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var response = await SendOnceAsync(HttpMethod.Get, path, null, linked.Token);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                return response;
            }

            using (response)
            {
                if (response.StatusCode == HttpStatusCode.Unauthorized)
                {
                    _token?.Invalidate();
                }

                throw await ApiException.FromResponseAsync(response, $"WATCH {path}", _time, linked.Token);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"WATCH {path} was not answered in time");
        }
    }
}
