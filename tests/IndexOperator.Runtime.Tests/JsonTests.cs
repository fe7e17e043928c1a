using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

/// <summary>KubernetesClient's models through source-generated contracts: what goes in comes out.</summary>
public sealed class JsonTests
{
    [Theory]
    [InlineData("Job", """{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j","namespace":"n","creationTimestamp":"2026-01-02T03:04:05Z","labels":{"a":"b"}},"spec":{"backoffLimit":0,"parallelism":2,"suspend":false,"template":{"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"memory":"1Gi","cpu":"500m","nvidia.com/gpu":"1"}},"livenessProbe":{"httpGet":{"port":"http"}},"readinessProbe":{"httpGet":{"port":8080}}}],"restartPolicy":"Never"}}},"status":{"startTime":"2026-01-02T03:04:05Z","failed":1,"conditions":[{"type":"Failed","status":"True","lastTransitionTime":"2026-01-02T03:04:06Z"}]}}""")]
    [InlineData("Pod", """{"metadata":{"name":"p","deletionTimestamp":"2026-01-02T03:04:05Z"},"spec":{"containers":[{"name":"c"}],"schedulingGates":[{"name":"g"}],"volumes":[{"name":"v","emptyDir":{"medium":"Memory","sizeLimit":"64Mi"}}]},"status":{"phase":"Failed","containerStatuses":[{"name":"c","image":"i","imageID":"","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":137,"reason":"OOMKilled","message":"{}","finishedAt":"2026-01-02T03:04:05Z"}}}]}}""")]
    [InlineData("PersistentVolumeClaim", """{"metadata":{"name":"p"},"spec":{"accessModes":["ReadWriteMany"],"resources":{"requests":{"storage":"10Gi"}},"storageClassName":""},"status":{"phase":"Bound","capacity":{"storage":"10Gi"}}}""")]
    [InlineData("ConfigMap", """{"metadata":{"name":"c","generation":3},"binaryData":{"b":"AAEC"},"data":{"k":"line\n<&>+"},"immutable":true}""")]
    [InlineData("Lease", """{"metadata":{"name":"l"},"spec":{"acquireTime":"2026-01-02T03:04:05.123456Z","holderIdentity":"","leaseDurationSeconds":1,"leaseTransitions":0,"renewTime":"2026-01-02T03:04:05.000001Z"}}""")]
    [InlineData("Event", """{"action":"A","eventTime":"2026-01-02T03:04:05.123456Z","metadata":{"name":"e"},"note":"n","reason":"R","regarding":{"kind":"K","name":"x"},"reportingController":"a/b","reportingInstance":"i","series":{"count":2,"lastObservedTime":"2026-01-02T03:04:05.123456Z"},"type":"Normal"}""")]
    public void A_round_trip_changes_nothing(string kind, string json)
    {
        var actual = kind switch
        {
            "Job" => RoundTrip(KnownResources.Jobs, json),
            "Pod" => RoundTrip(KnownResources.Pods, json),
            "PersistentVolumeClaim" => RoundTrip(KnownResources.PersistentVolumeClaims, json),
            "ConfigMap" => RoundTrip(KnownResources.ConfigMaps, json),
            "Lease" => RoundTrip(KnownResources.Leases, json),
            _ => RoundTrip(KnownResources.Events, json),
        };
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(actual)), actual);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("\U0001F600")]
    [InlineData("a\U0001F600\U0001D11Eb\u00e9\u2028\"\\")]
    [InlineData("\\uD83D\\uDE00 is text here")]
    [InlineData("\\\U0001F600\\")]
    public void What_is_applied_has_no_escaped_surrogates_which_YAML_does_not_know(string text)
    {
        var applied = YamlText.FromJson(JsonSerializer.SerializeToUtf8Bytes(text));
        Assert.Equal(text, JsonSerializer.Deserialize<string>(applied));
        Assert.DoesNotMatch(@"(?<!\\)(\\\\)*\\u[dD][89a-fA-F]", System.Text.Encoding.UTF8.GetString(applied));
    }

    [Fact]
    public void Equal_short_strings_are_read_as_one_object_and_all_others_as_they_are()
    {
        var unusual = new string('x', 200);
        const string Json = """{"metadata":{"name":"pooled-value","namespace":"pooled-value","labels":{"pooled-value":"a\u0062","pooled-ä":"ä","empty":"","none":null,"long":"LONG"}}}""";
        var map = JsonSerializer.Deserialize(Json.Replace("LONG", unusual, StringComparison.Ordinal), KnownResources.ConfigMaps.Item)!;
        Assert.Same(map.Metadata.Name, map.Metadata.NamespaceProperty);
        Assert.Same(map.Metadata.Name, map.Metadata.Labels.Keys.First());
        Assert.Equal(["ab", "ä", "", null, unusual], map.Metadata.Labels.Values);
        Assert.Equal("pooled-ä", map.Metadata.Labels.Keys.ElementAt(1));
        Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize("{\"metadata\":{\"name\":7}}", KnownResources.ConfigMaps.Item));
        var illFormed = new byte[] { (byte)'"', 0xFF, (byte)'"' };
        Assert.ThrowsAny<Exception>(() => JsonSerializer.Deserialize(illFormed, RuntimeJson.TypeInfo<string>()));
    }

    [Fact]
    public void A_micro_time_is_written_with_six_digits_even_on_a_full_second()
    {
        var full = MicroTime.From(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        var json = JsonSerializer.Serialize(new V1LeaseSpec { RenewTime = full }, RuntimeJson.TypeInfo<V1LeaseSpec>());
        Assert.Equal("""{"renewTime":"2026-01-02T03:04:05.000000Z"}""", json);
        Assert.Equal(full.AddTicks(-1), JsonSerializer.Deserialize(json, RuntimeJson.TypeInfo<V1LeaseSpec>())!.RenewTime);
    }

    [Fact]
    public void A_watch_event_may_have_its_object_before_its_type()
    {
        var parsed = JsonSerializer.Deserialize("""{"object":{"metadata":{"name":"x","resourceVersion":"5"}},"extra":[1],"type":"MODIFIED"}""", KnownResources.Pods.WatchEvent)!;
        Assert.Equal(WatchEventKind.Modified, parsed.Kind);
        Assert.Equal("x", parsed.Entity!.Metadata.Name);
        Assert.Equal("5", parsed.ResourceVersion);
    }

    [Fact]
    public void An_empty_list_may_be_null()
    {
        var page = JsonSerializer.Deserialize("""{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":null}""", KnownResources.Pods.Page)!;
        Assert.Empty(page.Items);
        Assert.Equal("7", page.ResourceVersion);
        Assert.True(page.IsLast);
    }

    [Fact]
    public void A_token_bucket_refills_with_time_and_never_beyond_its_size()
    {
        var time = new FakeTimeProvider();
        var bucket = new TokenBucket(2, 3, time);
        Assert.Equal([0, 0, 0, 0.5, 1.0], Enumerable.Range(0, 5).Select(_ => bucket.Reserve().TotalSeconds));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => bucket.TryTake()));
    }

    private static string RoundTrip<T>(ResourceType<T> type, string json)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> =>
        JsonSerializer.Serialize(JsonSerializer.Deserialize(json, type.Item)!, type.Item);
}
