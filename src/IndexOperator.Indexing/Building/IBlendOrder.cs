namespace IndexOperator.Indexing;

/// <summary>The order of a blend, computed from the first sample on.</summary>
internal interface IBlendOrder
{
    /// <summary>Writes the members of the next samples.</summary>
    void Fill(Span<short> order);

    /// <summary>How many samples of each member were drawn so far.</summary>
    long[] Counts();
}
