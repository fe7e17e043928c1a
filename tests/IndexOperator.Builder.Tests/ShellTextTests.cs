using IndexOperator.Builder.CheckRun;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

/// <summary>Shell text as training scripts use it, and as nobody should.</summary>
public sealed class ShellTextTests
{
    private static readonly Dictionary<string, string> Environment = new(StringComparer.Ordinal) { ["SEQ"] = "4096", ["LIST"] = "a b  c" };

    [Theory]
    [InlineData("a b\tc", "a|b|c")]
    [InlineData("a 'b c' \"d  e\" f\\ g", "a|b c|d  e|f g")]
    [InlineData("a''b\"\"c", "abc")]
    [InlineData("''", "")]
    [InlineData("a \\\n  b", "a|b")]
    [InlineData("a # b c", "a")]
    [InlineData("a#b", "a#b")]
    [InlineData("a \"\\$SEQ \\\\ \\n\"", "a|$SEQ \\ \\n")]
    [InlineData("a $SEQ ${SEQ} x${SEQ}y", "a|4096|4096|x4096y")]
    [InlineData("a $LIST \"$LIST\" '$LIST'", "a|a|b|c|a b  c|$LIST")]
    [InlineData("a ${NONE:-5} ${NONE-'6'} ${SEQ:-7}", "a|5|6|4096")]
    [InlineData("a $(SEQ) 100$", "a|4096|100$")]
    [InlineData("a >out 2>&1 b <in 2>/dev/null", "a|b")]
    [InlineData("X=1\na $X", "a|1")]
    [InlineData("export X='1 2'\na \"$X\" $X", "a|1 2|1|2")]
    [InlineData("X=(p q\n # comment\n \"r s\")\na ${X[@]} \"${X[@]}\"", "a|p|q|r|s|p|q|r s")]
    [InlineData("X=(p)\nX+=(q)\na ${X[*]}", "a|p|q")]
    [InlineData("X=1 a $X", "X=1|a|$X?")]
    [InlineData("a $NONE ${NONE} $(date +%s) `id` $1 $@", "a|$NONE?|${NONE}?|$(date +%s)?|`id`?|$1?|$@?")]
    [InlineData("a ${SEQ%x} ${#SEQ}", "a|${SEQ%x}?|${#SEQ}?")]
    public void Words_are_those_of_a_shell(string text, string words) =>
        Assert.Equal(words, string.Join('|', ShellText.Commands(text, Environment).Single().Select(word => word.Text + (word.Unknown is null ? "" : "?"))));

    [Fact]
    public void Commands_end_where_a_shell_ends_them() =>
        Assert.Equal(
            ["a 1", "b", "c", "d", "e"],
            ShellText.Commands("a 1 && b || c | d; e &\n\nX=5\n", Environment).Select(command => string.Join(' ', command.Select(word => word.Text))));

    [Theory]
    [InlineData("a 'b")]
    [InlineData("a \"b")]
    [InlineData("a \"${b")]
    public void A_quote_that_is_not_closed_is_refused(string text) =>
        Assert.Equal(FailureReason.InvalidSpec, Assert.Throws<IndexingException>(() => ShellText.Commands(text, Environment)).Reason);

    [Theory]
    [InlineData("${")]
    [InlineData("$(")]
    [InlineData("$((1+2))")]
    [InlineData("`")]
    [InlineData("a \\")]
    [InlineData("X=(")]
    [InlineData(">")]
    [InlineData("(((((")]
    [InlineData("${a${b${c}}}")]
    public void Torn_text_ends_without_a_fault(string text) => Assert.NotNull(ShellText.Commands(text, Environment));

    [Fact]
    public void A_variable_that_grows_with_every_line_is_stopped()
    {
        var bomb = "X=(a a)\n" + string.Concat(Enumerable.Repeat("X=(${X[@]} ${X[@]})\n", 40)) + "run ${X[@]}";
        Assert.Equal(FailureReason.InvalidSpec, Assert.Throws<IndexingException>(() => ShellText.Commands(bomb, Environment)).Reason);
        var text = "X=aaaaaaaaaaaaaaaa\n" + string.Concat(Enumerable.Repeat("X=$X$X\n", 40)) + "run $X";
        Assert.Equal(FailureReason.InvalidSpec, Assert.Throws<IndexingException>(() => ShellText.Commands(text, Environment)).Reason);
    }

    [Fact]
    public void Any_text_at_all_is_read_or_refused()
    {
        const string Letters = "ab= '\"\\$(){}[]@*`;&|<>#\n-:";
        var random = new Random(20261126);
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(24)).Select(_ => Letters[random.Next(Letters.Length)]));
            try
            {
                _ = ShellText.Commands(text, Environment);
            }
            catch (IndexingException refusal)
            {
                Assert.Equal(FailureReason.InvalidSpec, refusal.Reason);
            }
        }
    }
}
