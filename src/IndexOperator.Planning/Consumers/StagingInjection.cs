using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// <c>staging: Memory</c>: an init container copies the version to a RAM disk, and the chosen containers read that. The disk's pages count as
/// memory of the pod, so the first chosen container asks for that much more. The size must be known when the pod is created.
/// </summary>
internal static class StagingInjection
{
    private const string VersionFolder = "/index-operator/version";
    private const string StagingFolder = "/index-operator/staging";
    private const string Cpu = "1";
    private const long Overhead = 128 * Quantity.Mi;
    private const long Smallest = 64 * Quantity.Mi;
    private const int RoomPercent = 12;

    /// <summary>Adds the disk and what fills it; nothing where the pod does not ask for it.</summary>
    public static InjectionResult.Refused? Apply(PodDraft draft)
    {
        if (!draft.IsStaged)
        {
            return null;
        }

        return AddDisk(draft, out var bytes)
            ?? OwnContainer.Place(draft, InjectedNames.StageContainer, ["stage", VersionFolder, StagingFolder], Cpu, bytes + Overhead, out var container)
            ?? MountInjection.Version(draft, VersionFolder, out var version)
            ?? MountInjection.Add(draft, container, version)
            ?? MountInjection.Add(draft, container, new Mount(StagingFolder, InjectedNames.StagingVolume, IsWritable: true))
            ?? EnvironmentInjection.AddVersion(container)
            ?? WaitFirst(draft);
    }

    // The container that waits, where there is one, stays before the one that copies.
    private static InjectionResult.Refused? WaitFirst(PodDraft draft)
    {
        var list = (JsonArray)draft.Spec["initContainers"]!;
        if (draft.Annotation(Annotations.Injected) == WaitInjection.InitContainer
            && list.OfType<JsonObject>().First(container => ContainerChoice.NameOf(container) == InjectedNames.WaitContainer) is { } wait)
        {
            list.Remove(wait);
            list.Insert(0, wait);
        }

        return null;
    }

    // A disk that is there was made, and its memory asked for, when the pod was looked at before: its size is what it is.
    private static InjectionResult.Refused? AddDisk(PodDraft draft, out long bytes)
    {
        if (PodJson.Objects(draft.Spec, "volumes").FirstOrDefault(volume => PodJson.Text(volume, "name") == InjectedNames.StagingVolume) is { } there)
        {
            var disk = there["emptyDir"] as JsonObject;
            bytes = Quantity.Bytes(disk?["sizeLimit"]) ?? 0;
            return PodJson.Text(disk, "medium") == "Memory" && bytes is > 0 and < long.MaxValue / 4 ? null : MountInjection.IsSomethingElse(InjectedNames.StagingVolume);
        }

        if (Size(draft) is not { } size)
        {
            bytes = 0;
            return new(
                $"The size of PretrainIndex {draft.Request.IndexName} is not known before it is built, and the RAM disk of {Annotations.Staging} needs one. Give annotation {Annotations.StagingSize} (for example 2Gi), or create the pod when the index is Ready.",
                UntilIndexReady: true);
        }

        bytes = size;
        if (size >= long.MaxValue / 4)
        {
            return new($"Annotation {Annotations.StagingSize} asks for a RAM disk of {size} bytes. Write the size of the version with some room, for example 2Gi.");
        }

        PodJson.ListOf(draft.Spec, "volumes").Add((JsonNode)new JsonObject
        {
            ["name"] = InjectedNames.StagingVolume,
            ["emptyDir"] = new JsonObject { ["medium"] = "Memory", ["sizeLimit"] = Quantity.Text(size) },
        });
        return Grow(ContainerChoice.First(draft), size);
    }

    // The version that the pod is pinned to, where it is known; the current one else.
    private static long? Size(PodDraft draft)
    {
        if (draft.Request.StagingBytes is { } asked)
        {
            return asked;
        }

        var status = draft.Index.Status;
        var version = (status?.Previous ?? []).Prepend(status?.Current).FirstOrDefault(known => known is not null && known.Version == draft.Request.Version) ?? status?.Current;
        return version?.SizeBytes is > 0 and < long.MaxValue / 8 and var bytes
            ? (Math.Max(bytes + (bytes / 100 * RoomPercent) + (bytes % 100 * RoomPercent / 100), Smallest) + Quantity.Mi - 1) / Quantity.Mi * Quantity.Mi
            : null;
    }

    // A limit without a request is its own request: then the limit alone grows.
    private static InjectionResult.Refused? Grow(JsonObject container, long bytes)
    {
        var resources = PodJson.ObjectOf(container, "resources");
        var limit = (resources["limits"] as JsonObject)?["memory"];
        var request = (resources["requests"] as JsonObject)?["memory"];
        if (limit is not null && !Raise((JsonObject)resources["limits"]!, bytes))
        {
            return Unreadable(container, "limits");
        }

        return (request is null && limit is not null) || Raise(PodJson.ObjectOf(resources, "requests"), bytes) ? null : Unreadable(container, "requests");
    }

    private static bool Raise(JsonObject resources, long bytes)
    {
        var has = resources["memory"] is { } given ? Quantity.Bytes(given) : 0;
        if (has is not (>= 0 and < long.MaxValue / 4))
        {
            return false;
        }

        resources["memory"] = Quantity.Text(has.Value + bytes);
        return true;
    }

    private static InjectionResult.Refused Unreadable(JsonObject container, string kind) =>
        new($"Container {Clip.Characters(Clip.Plain(ContainerChoice.NameOf(container)), 200)}: resources.{kind}.memory is no size. Write for example 8Gi.");
}
