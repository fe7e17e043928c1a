namespace IndexOperator.Indexing;

/// <summary>A run of tokens that a sample takes of one sequence.</summary>
/// <param name="Position">Place in the document index.</param>
/// <param name="Sequence">Sequence of the dataset, counted from 0 over the whole file.</param>
/// <param name="Offset">First token taken.</param>
/// <param name="Length">Tokens taken; may be 0.</param>
public sealed record SampleSegment(long Position, long Sequence, long Offset, long Length);

/// <summary>Where one training sample's tokens come from.</summary>
/// <param name="Split">train, valid or test.</param>
/// <param name="Sample">The sample that training asks for.</param>
/// <param name="Blend">Key of the blend, if the split is one.</param>
/// <param name="Member">Number of the member in the blend, if it is one.</param>
/// <param name="MemberSample">The member's sample.</param>
/// <param name="Dataset">Key of the dataset.</param>
/// <param name="Prefix">Prefix of the dataset.</param>
/// <param name="ShuffledSample">What the shuffle index makes of <paramref name="MemberSample"/>.</param>
/// <param name="Tokens">Tokens in all.</param>
/// <param name="Segments">The runs, in order.</param>
public sealed record SampleTrace(
    string Split,
    long Sample,
    string? Blend,
    long? Member,
    long MemberSample,
    string Dataset,
    string Prefix,
    long ShuffledSample,
    long Tokens,
    IReadOnlyList<SampleSegment> Segments);
