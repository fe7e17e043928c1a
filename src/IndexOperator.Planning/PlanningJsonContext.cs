using System.Text.Json;
using System.Text.Json.Serialization;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>Source-generated JSON of what goes into and comes out of the planner.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict,
    PropertyNameCaseInsensitive = false)]
[JsonSerializable(typeof(ObservedState))]
[JsonSerializable(typeof(Plan))]
[JsonSerializable(typeof(PretrainIndex))]
[JsonSerializable(typeof(DataSpec))]
[JsonSerializable(typeof(DatasetSpec))]
[JsonSerializable(typeof(BuildSpec))]
[JsonSerializable(typeof(V1Job))]
[JsonSerializable(typeof(V1ConfigMap))]
[JsonSerializable(typeof(V1PersistentVolumeClaim))]
public sealed partial class PlanningJsonContext : JsonSerializerContext;
