using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>A mount that a container needs; read-only unless it says otherwise.</summary>
/// <param name="Path">Where.</param>
/// <param name="Volume">The volume to add it for.</param>
/// <param name="Claim">The claim that the volume is of: a mount of another volume of the same claim is as good. Null for volumes of other kinds.</param>
/// <param name="SubPath">Folder on the volume.</param>
/// <param name="SubPathExpr">Folder on the volume, with variables.</param>
/// <param name="IsWritable">Whether the container writes to it.</param>
/// <param name="Strictly">Whether a mount that is there must not be writable.</param>
internal sealed record Mount(string Path, string Volume, string? Claim = null, string? SubPath = null, string? SubPathExpr = null, bool IsWritable = false, bool Strictly = false);

/// <summary>
/// Volumes and mounts: the data at the path that Megatron's keys name, the version at the path that the run is told. A claim that the pod
/// mounts already keeps its volume, and a mount that is the wanted one already is left alone; another one in its place is refused.
/// </summary>
internal static class MountInjection
{
    /// <summary>Adds volumes and mounts for the chosen containers.</summary>
    public static InjectionResult.Refused? Apply(PodDraft draft)
    {
        var spec = draft.Index.Spec;
        return Claim(draft, InjectedNames.DataVolume, spec.Data.ClaimName!, out var volume)
            ?? Version(draft, spec.Cache.MountPath, out var version)
            ?? AddAll(
                draft,
                new Mount(spec.Data.MountPath!, volume, spec.Data.ClaimName, SubPath: string.IsNullOrEmpty(spec.Data.SubPath) ? null : spec.Data.SubPath),
                draft.IsStaged ? new Mount(spec.Cache.MountPath, InjectedNames.StagingVolume, Strictly: true) : version);
    }

    /// <summary>The mount of the pod's version, with its volume.</summary>
    public static InjectionResult.Refused? Version(PodDraft draft, string path, out Mount mount)
    {
        var claim = ClaimPolicy.CacheClaimName(draft.Index);
        var refused = Claim(draft, InjectedNames.CacheVolume, claim, out var volume);
        mount = new Mount(path, volume, claim, SubPathExpr: VersionFolder(draft.Index), Strictly: true);
        return refused;
    }

    /// <summary>Adds a mount to a container where it is not there yet.</summary>
    public static InjectionResult.Refused? Add(PodDraft draft, JsonObject container, Mount mount)
    {
        var path = PodJson.Clean(mount.Path);
        var name = ContainerChoice.NameOf(container);
        if (PodJson.Objects(container, "volumeDevices").Any(device => PodJson.Clean(PodJson.Text(device, "devicePath")) == path))
        {
            return new($"Container {Short(name)} has a block device at {Short(path)}, where the index needs a mount. Put the device elsewhere.");
        }

        var there = PodJson.Objects(container, "volumeMounts").Where(other => PodJson.Clean(PodJson.Text(other, "mountPath")) == path).ToList();
        if (there.Find(other => !IsSame(draft, other, mount)) is { } taken)
        {
            return new($"Container {Short(name)} mounts {Describe(taken)} at {Short(path)}, where PretrainIndex {draft.Request.IndexName} needs {Describe(mount)}. Remove the mount (the right one is added), or mount it elsewhere.");
        }

        if (mount.Strictly && there.Exists(other => !PodJson.IsTrue(other, "readOnly")))
        {
            return new($"Container {Short(name)} mounts the version at {Short(path)} writable, and a version never changes. Write readOnly: true, or remove the mount: the right one is added.");
        }

        if (there.Count == 0)
        {
            PodJson.ListOf(container, "volumeMounts").Add((JsonNode)Write(mount));
        }

        return null;
    }

    /// <summary>The refusal of a volume that has one of our names.</summary>
    public static InjectionResult.Refused IsSomethingElse(string volume) =>
        new($"Volume {volume} has the name of one that is added to pods that use an index, and is something else. Rename it.");

    private static InjectionResult.Refused? AddAll(PodDraft draft, Mount data, Mount index) =>
        draft.Chosen.Select(container => Add(draft, container, data) ?? Add(draft, container, index)).FirstOrDefault(refused => refused is not null);

    // The first volume of the claim, whatever its name; ours where there is none. Read-only as a whole: a kubelet asked for a folder that is
    // not there would make one, and a folder below versions/ is a version to everybody.
    private static InjectionResult.Refused? Claim(PodDraft draft, string name, string claim, out string volume)
    {
        var volumes = PodJson.Objects(draft.Spec, "volumes").ToList();
        volume = name;
        if (volumes.Find(other => PodJson.Text(other, "name") == name) is { } ours)
        {
            return ClaimOf(ours) == claim ? null : IsSomethingElse(name);
        }

        if (volumes.Find(other => ClaimOf(other) == claim) is { } other)
        {
            volume = PodJson.Text(other, "name")!;
            return null;
        }

        PodJson.ListOf(draft.Spec, "volumes").Add((JsonNode)new JsonObject
        {
            ["name"] = name,
            ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = claim, ["readOnly"] = true },
        });
        return null;
    }

    private static string VersionFolder(PretrainIndex index)
    {
        var root = PodJson.Literal(index.Spec.Cache.SubPath ?? "");
        return $"{(root.Length == 0 ? "" : root + "/")}versions/$({InjectedNames.VersionVariable})";
    }

    private static bool IsSame(PodDraft draft, JsonObject there, Mount mount)
    {
        var volume = PodJson.Text(there, "name");
        var source = PodJson.Objects(draft.Spec, "volumes").FirstOrDefault(other => PodJson.Text(other, "name") == volume);
        return (volume == mount.Volume || (mount.Claim is not null && source is not null && ClaimOf(source) == mount.Claim))
            && PodJson.Clean(PodJson.Text(there, "subPath")) == PodJson.Clean(mount.SubPath)
            && PodJson.Clean(PodJson.Text(there, "subPathExpr")) == PodJson.Clean(mount.SubPathExpr);
    }

    private static string? ClaimOf(JsonObject volume) => PodJson.Text(volume["persistentVolumeClaim"] as JsonObject, "claimName");

    private static JsonObject Write(Mount mount)
    {
        var written = new JsonObject { ["name"] = mount.Volume, ["mountPath"] = mount.Path };
        if (!mount.IsWritable)
        {
            written["readOnly"] = true;
        }

        foreach (var (name, value) in new[] { ("subPath", mount.SubPath), ("subPathExpr", mount.SubPathExpr) })
        {
            if (value is not null)
            {
                written[name] = value;
            }
        }

        return written;
    }

    private static string Describe(JsonObject mount) => Describe(PodJson.Text(mount, "name")!, PodJson.Text(mount, "subPath"), PodJson.Text(mount, "subPathExpr"));

    private static string Describe(Mount mount) => Describe(mount.Volume, mount.SubPath, mount.SubPathExpr) + (mount is { SubPath: null, SubPathExpr: null } ? " as a whole" : "");

    private static string Describe(string volume, string? subPath, string? subPathExpr) =>
        $"volume {Short(volume)}{(string.IsNullOrEmpty(subPath) ? "" : $" with subPath {Short(subPath)}")}{(string.IsNullOrEmpty(subPathExpr) ? "" : $" with subPathExpr {Short(subPathExpr)}")}";

    private static string Short(string text) => Clip.Characters(Clip.Plain(text), 200);
}
