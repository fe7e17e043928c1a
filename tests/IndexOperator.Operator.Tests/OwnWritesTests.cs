using IndexOperator.Runtime;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Operator.Tests;

/// <summary>A pass right after a write sees that write.</summary>
public sealed class OwnWritesTests
{
    private static readonly ObjectKey Key = new("a", "mix");
    private readonly FakeTimeProvider _time = new();
    private readonly OwnWrites _writes;

    public OwnWritesTests()
    {
        _writes = new OwnWrites(_time);
    }

    [Theory]
    [InlineData("9", "10", false)]
    [InlineData("10", "9", true)]
    [InlineData("10", "10", false)]
    [InlineData("written", "9", false)]
    [InlineData("10", "odd", false)]
    public void The_newer_resource_counts_by_number_and_not_by_text(string written, string seen, bool isWritten)
    {
        var own = Samples.Index(written);
        var stored = Samples.Index(seen);
        _writes.Wrote(own);
        Assert.Same(isWritten ? own : stored, _writes.Newest(stored));
    }

    [Fact]
    public void What_was_written_to_a_resource_of_the_same_name_before_it_was_made_anew_is_not_believed()
    {
        _writes.Wrote(Samples.Index("100", "old"));
        var seen = Samples.Index("50", "new");
        Assert.Same(seen, _writes.Newest(seen));
    }

    [Fact]
    public void What_the_informer_has_caught_up_with_is_not_kept_a_second_time()
    {
        _writes.Wrote(Samples.Index("10"));
        var caughtUp = Samples.Index("10");
        Assert.Same(caughtUp, _writes.Newest(caughtUp));

        // What was written stands for nothing any more, not even for an older state.
        var older = Samples.Index("9");
        Assert.Same(older, _writes.Newest(older));
    }

    [Fact]
    public void What_was_written_is_not_taken_for_the_informers_word_when_a_pass_asks_again()
    {
        // A pass that had nothing to write: the next one must not see the world before the write.
        var own = Samples.Index("10");
        _writes.Wrote(own);
        Assert.Same(own, _writes.Newest(Samples.Index("9")));
        Assert.Same(own, _writes.Newest(own));
        Assert.Same(own, _writes.Newest(Samples.Index("9")));
    }

    [Fact]
    public void A_created_Job_is_there_before_the_informer_shows_it_and_once_when_it_does()
    {
        _writes.Created(Key, Samples.Job("1"));
        Assert.Single(_writes.Merge(Key, []));
        Assert.Single(_writes.Merge(Key, [Samples.Job("1")]));

        // The informer has shown it once: when it is gone again, somebody deleted it.
        Assert.Empty(_writes.Merge(Key, []));
    }

    [Fact]
    public void A_deleted_Job_is_gone_before_the_informer_notices()
    {
        _writes.Created(Key, Samples.Job("1"));
        _writes.Deleted(Key, "1");
        Assert.Empty(_writes.Merge(Key, [Samples.Job("1")]));
        Assert.Single(_writes.Merge(Key, [Samples.Job("1"), Samples.Job("2")]));
    }

    [Fact]
    public void A_write_that_the_informer_never_shows_is_not_believed_for_ever()
    {
        _writes.Created(Key, Samples.Job("1"));
        _writes.Deleted(Key, "2");
        _time.Advance(OwnWrites.Patience + TimeSpan.FromSeconds(1));
        Assert.Equal("2", Assert.Single(_writes.Merge(Key, [Samples.Job("2")])).Metadata.Uid);
    }

    [Fact]
    public void A_binding_is_believed_until_the_informer_shows_it_or_that_it_is_gone()
    {
        var (older, written) = (Binding("9"), Binding("10"));
        _writes.Bound(Key, written);
        Assert.Same(written, _writes.Binding(Key, null));
        Assert.Same(written, _writes.Binding(Key, older));
        _writes.Saw(Key, older);
        Assert.Same(written, _writes.Binding(Key, older));
        _writes.Saw(Key, Binding("11"));
        Assert.Null(_writes.Binding(Key, null));

        _writes.Bound(Key, written);
        _time.Advance(OwnWrites.Patience + TimeSpan.FromSeconds(1));
        Assert.Same(older, _writes.Binding(Key, older));
    }

    private static V1ConfigMap Binding(string resourceVersion) => new() { Metadata = new V1ObjectMeta { Name = "mix-binding", ResourceVersion = resourceVersion } };

    [Fact]
    public void What_is_forgotten_is_forgotten()
    {
        _writes.Wrote(Samples.Index("100"));
        _writes.Created(Key, Samples.Job("1"));
        _writes.Forget(Key);
        var seen = Samples.Index("1");
        Assert.Same(seen, _writes.Newest(seen));
        Assert.Empty(_writes.Merge(Key, []));
    }
}
