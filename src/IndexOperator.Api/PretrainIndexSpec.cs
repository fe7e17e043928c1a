using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using IndexOperator.Api.Schema;

namespace IndexOperator.Api;

/// <summary>What a person declares.</summary>
[CelRule("!has(self.data.blend) || has(self.dataset.split)", "dataset.split is required with data.blend: write the run's split text exactly")]
[CelRule("!has(self.data.blendPerSplit) || !has(self.dataset.split)", "dataset.split does not go with data.blendPerSplit: Megatron-Core refuses the two together")]
public sealed record PretrainIndexSpec
{
    /// <summary>An opaque name that Git gives to a state of the data; a change asks for a new build.</summary>
    [Description("An opaque name for the state of the data, for example a date or a commit. A change asks for a new build; equal content under a new name is reused at once.")]
    [StringLength(253)]
    public string? DataVersion { get; init; }

    /// <summary>Where the data is and how it is blended.</summary>
    [Required]
    [Description("Where the .bin/.idx files are and how they are blended.")]
    public DataSpec Data { get; set; } = new();

    /// <summary>How the training run reads the data; every field is part of Megatron's cache key.</summary>
    [Required]
    [Description("How the training run reads the data. These fields decide Megatron's cache key and the bytes of the index; they must equal the run's.")]
    public DatasetSpec Dataset { get; set; } = new();

    /// <summary>Where versions are published.</summary>
    [Required]
    [Description("The volume that versions are published on. Its location cannot change.")]
    public CacheSpec Cache { get; set; } = new();

    /// <summary>How the build runs.</summary>
    [Description("How and where the build Job runs.")]
    [DefaultEmptyObject]
    public BuildSpec Build { get; set; } = new();

    /// <summary>How often the data is looked at, and what follows a change.</summary>
    [Description("How often the data is looked at again, and what follows when it changed in place.")]
    [DefaultEmptyObject]
    public RefreshSpec Refresh { get; set; } = new();

    /// <summary>How often the published files are checked.</summary>
    [Description("How often the published files are checked against their checksums.")]
    [DefaultEmptyObject]
    public VerifySpec Verify { get; set; } = new();

    /// <summary>True stops builds and checks and keeps serving what is published.</summary>
    [Description("True stops builds and checks at once; what is published stays mountable.")]
    [DefaultValue(false)]
    public bool Suspend { get; init; }
}

/// <summary>Where the <c>.bin</c>/<c>.idx</c> files are and how they are blended.</summary>
[CelRule("has(self.blend) != has(self.blendPerSplit)", "exactly one of blend and blendPerSplit must be set")]
[CelRule("!has(self.blend) || self.blend.all(e, e.prefix.startsWith(self.mountPath + '/'))", "every prefix must be below mountPath, as the training run spells it")]
[CelRule("!has(self.blendPerSplit) || !has(self.blendPerSplit.train) || self.blendPerSplit.train.all(e, e.prefix.startsWith(self.mountPath + '/'))", "every prefix of train must be below mountPath, as the training run spells it")]
[CelRule("!has(self.blendPerSplit) || !has(self.blendPerSplit.validation) || self.blendPerSplit.validation.all(e, e.prefix.startsWith(self.mountPath + '/'))", "every prefix of validation must be below mountPath, as the training run spells it")]
[CelRule("!has(self.blendPerSplit) || !has(self.blendPerSplit.test) || self.blendPerSplit.test.all(e, e.prefix.startsWith(self.mountPath + '/'))", "every prefix of test must be below mountPath, as the training run spells it")]
public sealed record DataSpec
{
    /// <summary>The claim that holds the data; mounted read-only.</summary>
    [Required, StringLength(253, MinimumLength = 1)]
    [Description("PersistentVolumeClaim in this namespace that holds the .bin/.idx files; mounted read-only.")]
    public string? ClaimName { get; init; }

    /// <summary>A folder on the claim; relative, without "..".</summary>
    [StringLength(1024)]
    [CelRule(PathRules.PlainSubPathRule, "must be a folder below the claim's root: relative, without \".\", \"..\" and \"//\"")]
    [Description("Folder on the claim to mount; relative, without \"..\".")]
    public string? SubPath { get; init; }

    /// <summary>Where training pods mount the data; absolute.</summary>
    [Required, StringLength(1024, MinimumLength = 2), RegularExpression("^/[^:]*[^:/]$")]
    [CelRule(PathRules.PlainPathRule, "must be a plain path: without \".\", \"..\" and \"//\"")]
    [Description("Where training pods mount the data; absolute, no colon, no trailing slash. Part of every prefix and so of Megatron's key.")]
    public string? MountPath { get; init; }

    /// <summary>One blend for all splits, divided by <see cref="DatasetSpec.Split"/>.</summary>
    [ItemCount(1, 4096), ListType("atomic")]
    [CelRule("self.all(e, has(e.weight)) || self.all(e, !has(e.weight))", "weights must be on all entries or on none")]
    [Description("Datasets for all splits; dataset.split divides each of them. Weights on all entries or on none.")]
    public IReadOnlyList<BlendEntry>? Blend { get; init; }

    /// <summary>A blend for each split.</summary>
    [Description("Datasets for each split instead of blend; a split that is missing has no dataset.")]
    public BlendPerSplit? BlendPerSplit { get; init; }
}

/// <summary>One dataset of a blend.</summary>
public sealed record BlendEntry
{
    /// <summary>Path of the dataset without <c>.bin</c>/<c>.idx</c>, as the training run spells it.</summary>
    [Required, StringLength(1024, MinimumLength = 1)]
    [CelRule(PathRules.PlainPathRule, "must be a plain path: without \".\", \"..\", \"//\" and a slash at its end")]
    [CelRule("!self.endsWith('.bin') && !self.endsWith('.idx')", "must be written without .bin and .idx")]
    [CelRule("!self.endsWith(' ')", "must not end with a blank, which Megatron strips")]
    [Description("Path of the dataset without .bin/.idx, exactly as the training run spells it (it is in Megatron's key); below data.mountPath.")]
    public string? Prefix { get; init; }

    /// <summary>The dataset's share; above 0; any scale, Megatron normalises.</summary>
    [Description("The dataset's share of the samples; above 0, any scale.")]
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double? Weight { get; init; }
}

/// <summary>A blend for each split; a split that is null has no dataset.</summary>
[CelRule("has(self.train) || has(self.validation) || has(self.test)", "at least one of train, validation and test must be set")]
public sealed record BlendPerSplit
{
    /// <summary>Datasets of the training split.</summary>
    [ItemCount(1, 4096), ListType("atomic")]
    [CelRule("self.all(e, has(e.weight)) || self.all(e, !has(e.weight))", "weights must be on all entries or on none")]
    [Description("Datasets of the training split.")]
    public IReadOnlyList<BlendEntry>? Train { get; init; }

    /// <summary>Datasets of the validation split.</summary>
    [ItemCount(1, 4096), ListType("atomic")]
    [CelRule("self.all(e, has(e.weight)) || self.all(e, !has(e.weight))", "weights must be on all entries or on none")]
    [Description("Datasets of the validation split.")]
    public IReadOnlyList<BlendEntry>? Validation { get; init; }

    /// <summary>Datasets of the test split.</summary>
    [ItemCount(1, 4096), ListType("atomic")]
    [CelRule("self.all(e, has(e.weight)) || self.all(e, !has(e.weight))", "weights must be on all entries or on none")]
    [Description("Datasets of the test split.")]
    public IReadOnlyList<BlendEntry>? Test { get; init; }
}

/// <summary>Where versions are published. The location (claim, template or not, subPath) cannot change.</summary>
[CelRule("has(self.claimName) != has(self.claimTemplate)", "exactly one of claimName and claimTemplate must be set")]
[CelRule("has(self.claimName) == has(oldSelf.claimName) && (!has(self.claimName) || self.claimName == oldSelf.claimName)", "cache.claimName is immutable: create another PretrainIndex to publish elsewhere")]
[CelRule("(has(self.subPath) ? self.subPath : '') == (has(oldSelf.subPath) ? oldSelf.subPath : '')", "cache.subPath is immutable: create another PretrainIndex to publish elsewhere")]
public sealed record CacheSpec
{
    /// <summary>An existing claim.</summary>
    [StringLength(253, MinimumLength = 1)]
    [Description("Existing PersistentVolumeClaim in this namespace. Immutable.")]
    public string? ClaimName { get; init; }

    /// <summary>A claim that the operator creates, instead of <see cref="ClaimName"/>.</summary>
    [Description("A claim that the operator creates, named after the resource, instead of claimName.")]
    public ClaimTemplate? ClaimTemplate { get; init; }

    /// <summary>A folder on the claim; relative, without "..".</summary>
    [StringLength(1024)]
    [CelRule(PathRules.PlainSubPathRule, "must be a folder below the claim's root: relative, without \".\", \"..\" and \"//\"")]
    [Description("Folder on the claim that holds the cache; relative, without \"..\". Immutable.")]
    public string SubPath { get; set; } = "";

    /// <summary>What training sets <c>index_mapping_dir</c> to.</summary>
    [StringLength(1024, MinimumLength = 2), RegularExpression("^/[^:]*[^:/]$"), DefaultValue("/npy_index")]
    [CelRule(PathRules.PlainPathRule, "must be a plain path: without \".\", \"..\" and \"//\"")]
    [Description("Where training pods mount the version: what the run sets index_mapping_dir, path_to_cache or --data-cache-path to.")]
    public string MountPath { get; set; } = "/npy_index";

    /// <summary>How many published versions are kept beside current.</summary>
    [Range(0, 100), DefaultValue(2)]
    [Description("Published versions kept beside the current one.")]
    public int HistoryLimit { get; set; } = 2;

    /// <summary>What happens to published versions when the resource is deleted.</summary>
    [DefaultValue(Api.DeletionPolicy.Retain)]
    [Description("What happens to the published versions when the resource is deleted.")]
    public DeletionPolicy DeletionPolicy { get; set; } = DeletionPolicy.Retain;
}

/// <summary>The claim that the operator creates for a cache.</summary>
public sealed record ClaimTemplate
{
    /// <summary>Storage class; the cluster's default when absent.</summary>
    [StringLength(253)]
    [Description("Storage class; the cluster's default when absent.")]
    public string? StorageClassName { get; init; }

    /// <summary>Access modes; training pods on several nodes need ReadWriteMany.</summary>
    [ItemCount(1, 4), ListType("atomic"), DefaultValue(new[] { ClaimAccessMode.ReadWriteMany })]
    [CelRule("self.exists(m, m != 'ReadOnlyMany')", "must have a mode that allows writing, such as ReadWriteMany")]
    [Description("Access modes; training pods on several nodes need ReadWriteMany.")]
    public IReadOnlyList<ClaimAccessMode> AccessModes { get; set; } = [ClaimAccessMode.ReadWriteMany];

    /// <summary>Requested size.</summary>
    [Required]
    [Description("Requested size, for example 100Gi.")]
    public k8s.Models.ResourceQuantity? Size { get; init; }
}

/// <summary>How often the data is looked at again.</summary>
public sealed record RefreshSpec
{
    /// <summary>Time between looks at the data; 0 = never.</summary>
    [RegularExpression(GoDuration.Pattern), DefaultValue("1h")]
    [Description("Time between looks at the data; 0 = never.")]
    public GoDuration Interval { get; set; } = GoDuration.Parse("1h");

    /// <summary>What follows when the data changed in place.</summary>
    [DefaultValue(ChangePolicy.Rebuild)]
    [Description("What follows when the data changed in place: Rebuild takes Ready away and builds; Hold takes Ready away and waits for a person; Report keeps Ready and only sets DataCurrent=False.")]
    public ChangePolicy OnChange { get; set; } = ChangePolicy.Rebuild;
}

/// <summary>How often the published files are checked.</summary>
public sealed record VerifySpec
{
    /// <summary>Time between checks of the checksums; 0 = never.</summary>
    [RegularExpression(GoDuration.Pattern), DefaultValue("24h")]
    [Description("Time between checks of the published files against their checksums; 0 = never.")]
    public GoDuration Interval { get; set; } = GoDuration.Parse("24h");
}
