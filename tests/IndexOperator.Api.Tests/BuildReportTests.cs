using System.Text;
using System.Text.Json;

namespace IndexOperator.Api.Tests;

public sealed class BuildReportTests
{
    private const string Version = "0123456789abcdef0123";
    private const string Fingerprint = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static BuildReport Built => new() { Outcome = BuildReport.Built, Version = Version, Fingerprint = Fingerprint };

    private static BuildReport Failed => new() { Outcome = BuildReport.Failed, Reason = Reasons.OutOfSpace, Message = "full" };

    [Fact]
    public void A_report_reads_back_as_it_was_written()
    {
        var report = Built with
        {
            SizeBytes = 1,
            Files = 2,
            Sequences = 3,
            Tokens = long.MaxValue,
            Samples = new() { Train = 5, Test = 0 },
            Seconds = 1.5,
            PeakMemoryBytes = 6,
            StagingRemoved = true,
        };
        Assert.True(BuildReport.TryParse(report.ToJson(), out var read));
        Assert.Equal(report, read);
    }

    [Fact]
    public void A_report_is_one_line_and_writes_only_what_is_set() =>
        Assert.Equal("""{"outcome":"Failed","reason":"OutOfSpace","message":"full"}""", Failed.ToJson());

    [Theory]
    [InlineData("x")]
    [InlineData("ü")]
    [InlineData("\"")]
    [InlineData("\n")]
    [InlineData("日")]
    [InlineData("😀")]
    [InlineData("a😀")]
    public void A_long_message_is_shortened_as_little_as_needed(string unit)
    {
        var text = (Failed with { Message = string.Concat(Enumerable.Repeat(unit, 10_000)) }).ToJson();
        Assert.InRange(Encoding.UTF8.GetByteCount(text), BuildReport.MaxBytes - 24, BuildReport.MaxBytes);
        Assert.True(BuildReport.TryParse(text, out var read));
        Assert.EndsWith("…", read.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\ufffd', read.Message!);
        Assert.StartsWith(unit, read.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_just_fits_is_left_whole()
    {
        var room = BuildReport.MaxBytes - Encoding.UTF8.GetByteCount((Failed with { Message = "" }).ToJson());
        var whole = Failed with { Message = new string('x', room) };
        Assert.Equal(BuildReport.MaxBytes, whole.ToJson().Length);
        Assert.True(BuildReport.TryParse(whole.ToJson(), out var read));
        Assert.Equal(whole, read);
        Assert.EndsWith("…", JsonSerializer.Deserialize((Failed with { Message = new string('x', room + 1) }).ToJson(), ApiJsonContext.Default.BuildReport)!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("Killed")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"outcome":null}""")]
    [InlineData("""{"outcome":"Done"}""")]
    [InlineData("""{"outcome":"built","version":"0123456789abcdef0123"}""")]
    [InlineData("""{"outcome":"Built"}""")]
    [InlineData("""{"outcome":"Built","version":"0123456789abcdef0123"}""")]
    [InlineData("""{"outcome":"Failed"}""")]
    [InlineData("""{"outcome":"Failed","reason":""}""")]
    [InlineData("""{"outcome":"Failed","reason":"Out Of Space"}""")]
    [InlineData("""{"outcome":"Failed","reason":"<script>"}""")]
    [InlineData("""{"outcome":"Failed","reason":5}""")]
    [InlineData("""{"outcome":"Failed","reason":"A","message":{}}""")]
    [InlineData("""{"outcome":"Failed","reason":"A"} trailing""")]
    [InlineData("""{"outcome":"Failed","reason":"A","sizeBytes":-1}""")]
    [InlineData("""{"outcome":"Failed","reason":"A","tokens":-1}""")]
    [InlineData("""{"outcome":"Failed","reason":"A","sequences":-1}""")]
    [InlineData("""{"outcome":"Failed","reason":"A","peakMemoryBytes":-1}""")]
    [InlineData("""{"outcome":"Failed","reason":"A","seconds":-0.5}""")]
    [InlineData("""{"outcome":"Failed","reason":"A","samples":{"test":-1}}""")]
    [InlineData("""{"outcome":"Failed","reason":"A","files":"3"}""")]
    [InlineData("""{"outcome":"Failed","reason":"A","sizeBytes":99999999999999999999}""")]
    public void What_is_no_report_is_none(string? text)
    {
        Assert.False(BuildReport.TryParse(text, out var report));
        Assert.Equal(new BuildReport(), report);
    }

    [Theory]
    [InlineData("../../../etc/passwd/x")]
    [InlineData("0123456789ABCDEF0123")]
    [InlineData("0123456789abcdef012")]
    [InlineData("0123456789abcdef01234")]
    [InlineData("0123456789abcdef012\u0663")]
    public void A_version_is_20_hex_digits_and_nothing_else(string version) =>
        Assert.False(BuildReport.TryParse((Built with { Version = version }).ToJson(), out _));

    [Theory]
    [InlineData("md5:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("sha256:0123")]
    [InlineData("sha256:")]
    [InlineData("")]
    public void A_fingerprint_is_a_SHA_256(string fingerprint) =>
        Assert.False(BuildReport.TryParse((Built with { Fingerprint = fingerprint }).ToJson(), out _));

    [Fact]
    public void A_reason_is_a_word_of_at_most_64_letters() =>
        Assert.False(BuildReport.TryParse((Failed with { Reason = new string('A', 65) }).ToJson(), out _));

    [Fact]
    public void A_message_longer_than_Kubernetes_keeps_is_no_report() =>
        Assert.False(BuildReport.TryParse(Failed.ToJson() + new string(' ', BuildReport.MaxBytes), out _));

    [Fact]
    public void Deep_nesting_is_no_report() =>
        Assert.False(BuildReport.TryParse("""{"outcome":"Failed","reason":"A","x":""" + new string('[', 1500) + new string(']', 1500) + "}", out _));

    [Fact]
    public void Fields_of_a_later_release_are_passed_over() =>
        Assert.True(BuildReport.TryParse("""{"outcome":"Failed","reason":"A","novel":{"a":[1]}}""", out _));
}

public sealed class BuildProgressLineTests
{
    private const string Line = """{"progress":{"phase":"SampleIndex","completed":41,"total":100,"percent":41,"etaSeconds":20}}""";

    [Fact]
    public void The_newest_line_counts()
    {
        var tail = Line.Replace("41", "40", StringComparison.Ordinal) + "\n" + Line + "\n";
        Assert.Equal(new BuildProgress { Phase = "SampleIndex", Completed = 41, Total = 100, Percent = 41, EtaSeconds = 20 }, BuildProgressLine.FindLast(tail));
        Assert.Equal(0.7, BuildProgressLine.FindLast(Line.Replace("20", "0.7", StringComparison.Ordinal))!.EtaSeconds);
    }

    [Theory]
    [InlineData("""{"level":"info","message":"reading"}""")]
    [InlineData("Unhandled exception. System.IO.IOException")]
    [InlineData("""{"progress":{"phase":"Sampl""")]
    [InlineData("""{"progress":null}""")]
    [InlineData("""{"progress":{"phase":null,"percent":50}}""")]
    [InlineData("""{"progress":{"phase":"a b","percent":50}}""")]
    [InlineData("""{"progress":{"phase":"x","percent":101}}""")]
    [InlineData("""{"progress":{"phase":"x","percent":-1}}""")]
    [InlineData("""{"progress":{"phase":"x","percent":"50"}}""")]
    [InlineData("""{"progress":{"phase":"x","percent":5,"etaSeconds":-1}}""")]
    [InlineData("""{"progress":{"phase":"x","percent":5,"etaSeconds":1e300}}""")]
    [InlineData("""{"progress":[]}""")]
    public void Lines_that_say_something_else_are_passed_over(string later) =>
        Assert.Equal(41, BuildProgressLine.FindLast($"{Line}\r\n{later}\r\n")!.Percent);

    [Fact]
    public void A_line_that_the_tail_cut_off_at_the_front_is_passed_over() =>
        Assert.Equal(41, BuildProgressLine.FindLast(Line[20..] + "\n" + Line)!.Percent);

    [Fact]
    public void A_line_of_unreasonable_length_is_passed_over() =>
        Assert.Null(BuildProgressLine.FindLast(Line[..^1] + new string(' ', 2000) + "}"));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("hello")]
    public void No_line_is_no_progress(string? tail) => Assert.Null(BuildProgressLine.FindLast(tail));
}
