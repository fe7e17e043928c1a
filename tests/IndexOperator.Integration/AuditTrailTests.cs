namespace IndexOperator.Integration;

/// <summary>A check that could not fail would prove nothing.</summary>
public sealed class AuditTrailTests
{
    [Fact]
    public async Task A_write_after_another_took_the_lease_is_found()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(path, [
                Line(0, "index-operator/leader-election (a)", "create", 201),
                Line(1, "index-operator (a; term 0)", "patch", 200),
                Line(2, "index-operator/leader-election (b)", "update", 409),
                Line(3, "index-operator (a; term 0)", "create", 201),
                Line(4, "index-operator/leader-election (b)", "update", 200),
                Line(5, "kubectl/v1.33", "create", 201),
                Line(6, "index-operator (b; term 1)", "create", 201),
                Line(7, "index-operator (a; term 0)", "delete", 200),
                Line(8, "index-operator (a; term 0)", "get", 200),
                "{\"half\": ",
            ], TestContext.Current.CancellationToken);
            var trail = await AuditTrail.ReadAsync(path);
            Assert.Equal(7, trail.Count);
            var trespasses = AuditTrail.Trespasses(trail).ToList();
            Assert.Equal(2, trespasses.Count);
            Assert.Contains("while b held the lease", trespasses[0], StringComparison.Ordinal);
            Assert.Contains("after a write of term 1", trespasses[1], StringComparison.Ordinal);
            Assert.Equal(TimeSpan.FromSeconds(2.5), AuditTrail.Takeover(trail, trail[0].Received.AddSeconds(2), "a"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Line(int second, string agent, string verb, int code) => $$"""
        {"stage":"ResponseComplete","verb":"{{verb}}","userAgent":"{{agent}}","objectRef":{"resource":"things","namespace":"n","name":"x"},"responseStatus":{"code":{{code}}},"requestReceivedTimestamp":"2026-11-24T08:00:0{{second}}.000000Z","stageTimestamp":"2026-11-24T08:00:0{{second}}.500000Z"}
        """;
}
