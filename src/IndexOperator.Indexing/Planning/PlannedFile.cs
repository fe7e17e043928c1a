namespace IndexOperator.Indexing;

/// <summary>A file of the cache before it is written.</summary>
/// <param name="Name">Name inside the cache directory.</param>
/// <param name="Bytes">Size in bytes, exact.</param>
/// <param name="Dtype">numpy's type text such as <c>&lt;i4</c>; null for a description.</param>
/// <param name="Shape">Length of each dimension; null for a description.</param>
public sealed record PlannedFile(string Name, long Bytes, string? Dtype = null, IReadOnlyList<long>? Shape = null)
{
    internal static PlannedFile Array(string name, string dtype, params long[] shape) =>
        new(name, NpyHeader.Size + shape.Aggregate(NpyHeader.ItemSize(dtype), (bytes, length) => bytes * length), dtype, shape);
}
