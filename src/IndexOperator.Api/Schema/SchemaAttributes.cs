namespace IndexOperator.Api.Schema;

/// <summary>
/// A CEL rule (KEP-2876) on the type or property it stands on; becomes one entry of <c>x-kubernetes-validations</c>.
/// API servers older than 1.25 ignore it, so every rule is also checked by <see cref="PretrainIndexValidation"/>.
/// </summary>
/// <param name="rule">The CEL expression; <c>self</c> is the value, <c>oldSelf</c> the value before an update.</param>
/// <param name="message">What a person reads when the rule is broken.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property, AllowMultiple = true)]
public sealed class CelRuleAttribute(string rule, string message) : Attribute
{
    /// <summary>The CEL expression.</summary>
    public string Rule { get; } = rule;

    /// <summary>What a person reads when the rule is broken.</summary>
    public string Message { get; } = message;
}

/// <summary>How server-side apply merges a list (<c>x-kubernetes-list-type</c>).</summary>
/// <param name="type"><c>atomic</c>, <c>set</c> or <c>map</c>.</param>
/// <param name="keys">The JSON names of the key fields; only with <c>map</c>.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListTypeAttribute(string type, params string[] keys) : Attribute
{
    /// <summary><c>atomic</c>, <c>set</c> or <c>map</c>.</summary>
    public string Type { get; } = type;

    /// <summary>The JSON names of the key fields.</summary>
    public IReadOnlyList<string> Keys { get; } = keys;
}

/// <summary>A default that is an empty object, so that the API server fills in the defaults inside it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DefaultEmptyObjectAttribute : Attribute;

/// <summary>A column of <c>kubectl get</c>, in the order of the attributes on the resource.</summary>
/// <param name="name">The column's heading.</param>
/// <param name="type">An OpenAPI type: <c>string</c>, <c>integer</c>, <c>date</c>.</param>
/// <param name="jsonPath">Where the value is, in kubectl's JSONPath.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class PrinterColumnAttribute(string name, string type, string jsonPath) : Attribute
{
    /// <summary>The column's heading.</summary>
    public string Name { get; } = name;

    /// <summary>The OpenAPI type of the column.</summary>
    public string Type { get; } = type;

    /// <summary>Where the value is, in kubectl's JSONPath.</summary>
    public string JsonPath { get; } = jsonPath;

    /// <summary>0 is always shown, 1 only with <c>-o wide</c>.</summary>
    public int Priority { get; init; }

    /// <summary>The column's explanation in the schema.</summary>
    public string? Description { get; init; }
}

/// <summary>How many items a list may have (<c>minItems</c>, <c>maxItems</c>); the bound also keeps CEL rules on it affordable.</summary>
/// <param name="minimum">At least; 0 or more.</param>
/// <param name="maximum">At most.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemCountAttribute(int minimum, int maximum) : Attribute
{
    /// <summary>At least this many.</summary>
    public int Minimum { get; } = minimum;

    /// <summary>At most this many.</summary>
    public int Maximum { get; } = maximum;
}
