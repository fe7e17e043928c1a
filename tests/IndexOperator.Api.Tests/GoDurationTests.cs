using System.Text.Json;
using System.Text.RegularExpressions;

namespace IndexOperator.Api.Tests;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("90s", 90_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1h30m5s", 5_405_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("250ms", 250)]
    [InlineData("1000us", 1)]
    [InlineData("1000µs", 1)]
    [InlineData("1000000ns", 1)]
    public void Reads_what_Go_reads(string text, double milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), GoDuration.Parse(text).Value);

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("h")]
    [InlineData("1d")]
    [InlineData("1w")]
    [InlineData("-1h")]
    [InlineData("+1h")]
    [InlineData("1h ")]
    [InlineData("1 h")]
    [InlineData("1,5h")]
    [InlineData("1.2.3s")]
    [InlineData("1e3s")]
    [InlineData("1H")]
    [InlineData("00:05:00")]
    [InlineData("PT5M")]
    public void Refuses_what_is_no_duration(string text)
    {
        Assert.False(GoDuration.TryParse(text, out _));
        var error = Assert.Throws<FormatException>(() => GoDuration.Parse(text));
        Assert.Contains("90s, 30m, 2h or 1h30m", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("99999999h")]
    [InlineData("9999999999999999999999999999999999999999999999999999999999999h")]
    public void Takes_what_the_schema_lets_pass_however_long_it_is(string text)
    {
        Assert.Matches(GoDuration.Pattern, text);
        Assert.Equal(TimeSpan.FromDays(106_751), GoDuration.Parse(text).Value);
    }

    [Fact]
    public void Reads_everything_that_the_schema_pattern_accepts()
    {
        var pattern = new Regex(GoDuration.Pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        string[] numbers = ["0", "00", "7", "10.25", "999999999999"];
        string[] units = ["ns", "us", "µs", "ms", "s", "m", "h"];
        var texts = from first in numbers from unit in units from second in numbers select $"{first}{unit}{second}{unit}";
        Assert.All(texts, text =>
        {
            Assert.Matches(pattern, text);
            Assert.True(GoDuration.TryParse(text, out _), text);
        });
    }

    [Fact]
    public void Refuses_a_text_longer_than_64_characters() =>
        Assert.False(GoDuration.TryParse(new string('1', 64) + "s", out _));

    [Fact]
    public void Keeps_the_text_as_it_was_written() =>
        Assert.Equal("1h30m", GoDuration.Parse("1h30m").ToString());

    [Fact]
    public void Unset_reads_as_zero()
    {
        Assert.Equal("0", default(GoDuration).ToString());
        Assert.Equal(TimeSpan.Zero, default(GoDuration).Value);
    }

    [Fact]
    public void Is_no_number_in_JSON()
    {
        var error = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("""{"interval": 5}""", ApiJsonContext.Default.RefreshSpec));
        Assert.Contains("A duration is a string", error.Message, StringComparison.Ordinal);
    }
}
