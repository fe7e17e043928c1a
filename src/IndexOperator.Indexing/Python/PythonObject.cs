namespace IndexOperator.Indexing;

/// <summary>Reads fields of an object that <see cref="PythonJson.Load"/> returned.</summary>
internal static class PythonObject
{
    /// <summary>A field's value; null when there is none of the name.</summary>
    public static object? Field(this IReadOnlyList<KeyValuePair<string, object?>> fields, string name) =>
        fields.FirstOrDefault(member => member.Key == name).Value;
}
