using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class AdmissionEndpointTests : IDisposable
{
    private const string Uid = "705ab4f5-6393-11e8-b7cc-42010a800002";

    private readonly FakeTimeProvider _time = new();
    private readonly WarningLog _log = new();
    private WebhookSettings _settings = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task What_is_changed_comes_back_as_a_patch_of_the_object_that_was_sent()
    {
        AdmissionRequest? seen = null;
        var answer = await AskAsync((request, _) =>
        {
            seen = request;
            var after = request.Entity!.DeepClone().AsObject();
            after["metadata"]!["annotations"] = new JsonObject { ["a"] = "b" };
            return Task.FromResult(AdmissionAnswer.Change(request.Entity, after, "look here"));
        });
        Assert.Equal(
            ("Pod", "", "shop", "", "CREATE", true, "trainer-"),
            (seen!.Kind, seen.Group, seen.Namespace, seen.Name, seen.Operation, seen.DryRun, (string?)seen.Entity!["metadata"]!["generateName"]));
        Assert.True((bool)answer["allowed"]!);
        Assert.Equal("JSONPatch", (string?)answer["patchType"]);
        Assert.Equal("""[{"op":"add","path":"/metadata/annotations","value":{"a":"b"}}]""", Encoding.UTF8.GetString(Convert.FromBase64String((string)answer["patch"]!)));
        Assert.Equal("look here", (string?)answer["warnings"]![0]);
        Assert.Null(answer["status"]);
    }

    [Fact]
    public async Task What_stays_as_it_is_has_no_patch()
    {
        var answer = await AskAsync((request, _) => Task.FromResult(AdmissionAnswer.Change(request.Entity!, request.Entity!.DeepClone().AsObject())));
        Assert.Equal($$"""{"uid":"{{Uid}}","allowed":true}""", answer.ToJsonString());
    }

    [Fact]
    public async Task A_refusal_says_why_in_a_status()
    {
        var answer = await AskAsync((_, _) => Task.FromResult(AdmissionAnswer.Forbid("there is no index")));
        Assert.Equal(
            (false, 403, "Forbidden", "there is no index"),
            ((bool)answer["allowed"]!, (int)answer["status"]!["code"]!, (string?)answer["status"]!["reason"], (string?)answer["status"]!["message"]));
        Assert.Equal(422, (int)(await AskAsync((_, _) => Task.FromResult(AdmissionAnswer.Invalid("x"))))["status"]!["code"]!);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_error_is_a_refusal_that_says_so_and_is_logged(bool atOnce)
    {
        var answer = await AskAsync((_, _) => atOnce ? throw new InvalidOperationException("a fault") : Task.FromException<AdmissionAnswer>(new InvalidOperationException("a fault")));
        Assert.False((bool)answer["allowed"]!);
        Assert.Equal(500, (int)answer["status"]!["code"]!);
        Assert.Contains("a fault", (string?)answer["status"]!["message"], StringComparison.Ordinal);
        Assert.Contains("refused because of an error", Assert.Single(_log.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 8)]
    [InlineData("?timeout=5s", 4)]
    [InlineData("?timeout=30s", 8)]
    [InlineData("?timeout=many", 8)]
    public async Task A_handler_that_takes_too_long_is_answered_for_before_the_server_gives_up(string query, int seconds)
    {
        var never = new TaskCompletionSource<AdmissionAnswer>();
        var asked = AskAsync((_, _) => never.Task, query);
        _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        Assert.False(asked.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        var answer = await asked.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        Assert.Equal(504, (int)answer["status"]!["code"]!);
        never.SetException(new InvalidOperationException("much later"));
    }

    [Theory]
    [InlineData("text/plain", "{}", 400, "Content-Type")]
    [InlineData(null, "{}", 400, "Content-Type")]
    [InlineData("application/json", "", 400, "no AdmissionReview")]
    [InlineData("application/json", "null", 400, "null")]
    [InlineData("application/json", "[]", 400, "no AdmissionReview")]
    [InlineData("application/json", "{\"kind\":\"AdmissionReview\"", 400, "no AdmissionReview")]
    [InlineData("application/json", """{"kind":"Pod","apiVersion":"v1"}""", 400, "expected AdmissionReview")]
    [InlineData("application/json", """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"x"}}""", 400, "admission.k8s.io/v1")]
    [InlineData("application/json", """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}""", 400, "no request")]
    [InlineData("application/json", """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"kind":{"kind":"Pod"},"operation":"CREATE"}}""", 400, "uid")]
    [InlineData("application/json", """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"x","operation":"CREATE"}}""", 400, "kind")]
    [InlineData("application/json", """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"x","kind":{"kind":"Pod"}}}""", 400, "operation")]
    [InlineData("application/json", """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":5}}""", 400, "uid")]
    [InlineData("application/json", """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"x","kind":{"kind":"Pod"},"operation":"CREATE","object":[1]}}""", 400, "object")]
    [InlineData("application/json", """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"x","kind":{"kind":"Pod"},"operation":"CREATE","object":{"a":1,"a":2}}}""", 400, "no AdmissionReview")]
    public async Task What_is_no_review_is_an_error_of_the_one_who_sent_it(string? type, string body, int code, string said)
    {
        var (status, text) = await SendAsync(type, Encoding.UTF8.GetBytes(body));
        Assert.Equal(code, status);
        Assert.Contains(said, text, StringComparison.Ordinal);
        Assert.Empty(_log.Warnings);
    }

    [Fact]
    public async Task Depth_and_length_of_what_is_sent_are_bounded()
    {
        var deep = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 100_000)));
        Assert.Equal(400, (await SendAsync("application/json", deep)).Status);
        Assert.Equal(400, (await SendAsync("application/json", Encoding.UTF8.GetBytes(Review().Replace(Uid, new string('u', 1000), StringComparison.Ordinal)))).Status);
        _settings = _settings with { MaxBodyBytes = 100_000 };
        Assert.Equal(413, (await SendAsync("application/json", new byte[100_001])).Status);
        Assert.Equal(413, (await SendAsync("application/json", new byte[100_001], tellLength: false)).Status);
        Assert.Equal(400, (await SendAsync("application/json", new byte[100_000], tellLength: false)).Status);
    }

    [Fact]
    public async Task Nothing_else_is_there()
    {
        Assert.Equal(404, (await SendAsync("application/json", [], path: "/metrics")).Status);
        Assert.Equal(405, (await SendAsync("application/json", [], method: "GET")).Status);
    }

    [Fact]
    public async Task More_reviews_than_allowed_at_a_time_wait_for_their_turn()
    {
        _settings = _settings with { MaxConcurrent = 1 };
        var first = new TaskCompletionSource<AdmissionAnswer>();
        var calls = 0;
        using var endpoint = Endpoint((_, _) => ++calls == 1 ? first.Task : Task.FromResult(AdmissionAnswer.Allow()));
        var one = SendAsync(endpoint, "application/json", Encoding.UTF8.GetBytes(Review()));
        var two = SendAsync(endpoint, "application/json", Encoding.UTF8.GetBytes(Review()));
        Assert.Equal((false, 1), (two.IsCompleted, calls));
        first.SetResult(AdmissionAnswer.Allow());
        Assert.Equal((200, 200), ((await one).Status, (await two).Status));
        var three = new TaskCompletionSource<AdmissionAnswer>();
        calls = 0;
        first = three;
        var blocked = SendAsync(endpoint, "application/json", Encoding.UTF8.GetBytes(Review()));
        var late = SendAsync(endpoint, "application/json", Encoding.UTF8.GetBytes(Review()));
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(503, (await late).Status);
        Assert.Equal(200, (await blocked).Status);
    }

    private static string Review() => new JsonObject
    {
        ["kind"] = "AdmissionReview",
        ["apiVersion"] = "admission.k8s.io/v1",
        ["request"] = new JsonObject
        {
            ["uid"] = Uid,
            ["kind"] = new JsonObject { ["group"] = "", ["version"] = "v1", ["kind"] = "Pod" },
            ["resource"] = new JsonObject { ["group"] = "", ["version"] = "v1", ["resource"] = "pods" },
            ["namespace"] = "shop",
            ["operation"] = "CREATE",
            ["userInfo"] = new JsonObject { ["username"] = "jane" },
            ["object"] = new JsonObject { ["metadata"] = new JsonObject { ["generateName"] = "trainer-" } },
            ["oldObject"] = null,
            ["dryRun"] = true,
        },
    }.ToJsonString();

    private async Task<JsonObject> AskAsync(Func<AdmissionRequest, CancellationToken, Task<AdmissionAnswer>> handler, string query = "")
    {
        using var endpoint = Endpoint(handler);
        var (status, text) = await SendAsync(endpoint, "application/json; charset=utf-8", Encoding.UTF8.GetBytes(Review()), query: query);
        Assert.Equal(200, status);
        var review = JsonNode.Parse(text)!.AsObject();
        Assert.Equal(("AdmissionReview", "admission.k8s.io/v1", Uid), ((string?)review["kind"], (string?)review["apiVersion"], (string?)review["response"]!["uid"]));
        return review["response"]!.AsObject();
    }

    private AdmissionEndpoint Endpoint(Func<AdmissionRequest, CancellationToken, Task<AdmissionAnswer>> handler)
    {
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(_log));
        return new AdmissionEndpoint(new Handler(handler), _settings, _time, factory.CreateLogger<AdmissionEndpoint>());
    }

    private async Task<(int Status, string Text)> SendAsync(string? type, byte[] body, bool tellLength = true, string path = "/mutate", string method = "POST")
    {
        using var endpoint = Endpoint((_, _) => throw new UnreachableException());
        return await SendAsync(endpoint, type, body, tellLength, path, method);
    }

    private static async Task<(int Status, string Text)> SendAsync(
        AdmissionEndpoint endpoint, string? type, byte[] body, bool tellLength = true, string path = "/mutate", string method = "POST", string query = "")
    {
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Path = path;
        context.Request.QueryString = new QueryString(query);
        context.Request.ContentType = type;
        context.Request.ContentLength = tellLength ? body.Length : null;
        context.Request.Body = new MemoryStream(body);
        context.Response.Body = answer;
        await endpoint.HandleAsync(context);
        return (context.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()));
    }

    private sealed class Handler(Func<AdmissionRequest, CancellationToken, Task<AdmissionAnswer>> review) : IAdmissionHandler
    {
        public Task<AdmissionAnswer> ReviewAsync(AdmissionRequest request, CancellationToken cancellationToken) => review(request, cancellationToken);
    }
}
