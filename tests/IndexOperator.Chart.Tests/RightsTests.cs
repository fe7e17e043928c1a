using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Operator;
using IndexOperator.TestSupport;
using Rbac;

namespace IndexOperator.Chart.Tests;

/// <summary>The roles are what the operator's access rules say, and the judge of audit logs finds what it is there for.</summary>
public sealed class RightsTests
{
    private static readonly IReadOnlyList<AccessRule> Rules =
    [
        new AccessRule("batch", "jobs", ["list", "create"], ""),
        new AccessRule("", "pods/log", ["get"], ""),
        new AccessRule("", "secrets", ["get"], "") { Name = "mine" },
        new AccessRule("indexoperator.io", "pretrainindexes/finalizers", ["update"], "") { AskedBy = "a plugin" },
    ];

    private static readonly string[] Folders = ["config/rbac", "config/kueue"];

    public static TheoryData<string> Files => [.. Manifests.All.Keys];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_role_in_the_checkout_is_generated(string path) => Assert.Equal(Manifests.All[path], RepositoryRoot.ReadText(path));

    [Fact]
    public void No_role_that_is_bound_to_the_operator_has_more()
    {
        var roles = Folders.SelectMany(folder => Directory.GetFiles(RepositoryRoot.PathOf(folder), "*.yaml"))
            .SelectMany(file => YamlJson.ParseAll(File.ReadAllText(file))).OfType<JsonObject>().ToList();
        var bound = roles.Where(item => ((string?)item["kind"])?.EndsWith("Binding", StringComparison.Ordinal) == true && (string?)item["subjects"]![0]!["name"] == "index-operator")
            .Select(binding => (string)binding["roleRef"]!["name"]!).ToHashSet();
        Assert.Equal(4, bound.Count);
        var rules = roles.Where(item => (string?)item["kind"] is "Role" or "ClusterRole" && bound.Contains((string)item["metadata"]!["name"]!)).SelectMany(role => role["rules"]!.AsArray()).ToList();
        Assert.Equal(Granted.All.Select(Text).Order(StringComparer.Ordinal), rules.Select(rule => Text(rule!)).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(rules, rule => rule!.ToJsonString().Contains('*', StringComparison.Ordinal));

        static string Text(object rule) => rule is AccessRule one
            ? $"{one.Group} {one.Resource} {one.Name} {string.Join(',', one.Verbs)}"
            : $"{((JsonNode)rule)["apiGroups"]![0]} {((JsonNode)rule)["resources"]!.AsArray().Single()} {((JsonNode)rule)["resourceNames"]?[0]} {string.Join(',', ((JsonNode)rule)["verbs"]!.AsArray().Select(verb => (string?)verb))}";
    }

    [Fact]
    public void A_run_that_uses_all_and_is_denied_nothing_is_clean()
    {
        var judgement = Judge(Line("list", "batch", "jobs"), Line("create", "batch", "jobs"), Line("get", "", "pods", "log", "x"), Line("get", "", "secrets", null, "mine"), "{\"half\": ");
        Assert.True(judgement.IsClean, string.Join("; ", judgement.Unused));
        Assert.Equal((4, 4), (judgement.Requests, judgement.Used));
    }

    [Fact]
    public void A_granted_verb_that_nobody_used_is_named()
    {
        // Of others, of another name, of another subresource, and denied: none of these is a use.
        var judgement = Judge(
            Line("list", "batch", "jobs"),
            Line("create", "batch", "jobs", agent: "kubectl/v1.33"),
            Line("create", "batch", "jobs", user: "admin"),
            Line("get", "", "pods", null, "x"),
            Line("get", "", "secrets", null, "other"));
        Assert.Equal(["create jobs.batch", "get pods/log", "get secrets mine"], judgement.Unused);
        Assert.False(judgement.IsClean);
    }

    [Fact]
    public void A_denied_call_is_named_once_and_is_no_use()
    {
        var judgement = Judge(Line("create", "batch", "jobs", code: 403, decision: "forbid"), Line("create", "batch", "jobs", code: 403, decision: "forbid"), Line("list", "batch", "jobs", code: 403));
        Assert.Contains("create jobs.batch", Assert.Single(judgement.Denied).ToString(), StringComparison.Ordinal);
        Assert.Contains("create jobs.batch", judgement.Unused);

        // What admission refuses was allowed.
        Assert.DoesNotContain("list jobs.batch", judgement.Unused);
    }

    [Fact]
    public void What_is_denied_while_a_test_takes_the_rights_away_proves_nothing()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllLines(Path.Combine(folder.FullName, "e2e.withdrawn"), ["system:serviceaccount:a:b 2026-11-27T10:00:00.0000000+00:00 2026-11-27T10:00:30.0000000+00:00"]);
            var withdrawals = Withdrawal.ReadAll(folder.FullName);
            foreach (var (user, at, isDenied) in new[]
            {
                ("system:serviceaccount:a:b", "2026-11-27T10:00:07.123456Z", false),
                ("system:serviceaccount:a:b", "2026-11-27T09:59:59.999999Z", true),
                ("system:serviceaccount:a:b", "2026-11-27T10:00:31.000000Z", true),
                ("system:serviceaccount:a:c", "2026-11-27T10:00:07.123456Z", true),
            })
            {
                var request = AuditLog.Parse(Line("list", "", "pods", user: user, code: 403, decision: "forbid", at: at))!;
                Assert.Equal((user, at, isDenied), (user, at, Judgement.Of([request], Rules, withdrawals).Denied.Count == 1));
            }

            File.WriteAllText(Path.Combine(folder.FullName, "other.withdrawn"), "system:serviceaccount:a:b for ever");
            Assert.Throws<FormatException>(() => Withdrawal.ReadAll(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Judgement Judge(params string[] lines) => Judgement.Of(lines.Select(AuditLog.Parse).OfType<AuditedRequest>(), Rules);

    private static string Line(
        string verb, string group, string resource, string? subresource = null, string name = "", string user = "system:serviceaccount:a:b", string agent = "index-operator (x; term 1)", int code = 200, string decision = "allow", string at = "2026-11-20T08:00:00.000000Z") =>
        new JsonObject
        {
            ["requestReceivedTimestamp"] = at,
            ["verb"] = verb,
            ["user"] = new JsonObject { ["username"] = user },
            ["userAgent"] = agent,
            ["objectRef"] = new JsonObject { ["apiGroup"] = group, ["resource"] = resource, ["subresource"] = subresource, ["name"] = name },
            ["responseStatus"] = new JsonObject { ["code"] = code },
            ["annotations"] = new JsonObject { ["authorization.k8s.io/decision"] = decision },
        }.ToJsonString();
}
