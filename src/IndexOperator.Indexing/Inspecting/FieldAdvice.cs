namespace IndexOperator.Indexing;

/// <summary>Which field of the resource, and which setting of a run, stands behind a field of a description.</summary>
internal static class FieldAdvice
{
    public static string For(string field, bool isExtra) => (field, isExtra) switch
    {
        ("split" or "renormalize_blend_weights", true) =>
            "Releases write different fields: set dataset.megatronCore to the run's release (renormalize_blend_weights: 0.9 and 0.10).",
        (_, true) => "Only one of the two has this field: the run is of another release or dataset class; compare dataset.megatronCore and dataset.datasetClass.",
        ("class", _) => "Set dataset.datasetClass to the run's class.",
        ("dataset_path", _) => "The path's spelling is part of the key: write the prefix in data.blend as the run does, and mount the data where the run does (data.mountPath).",
        ("datasets", _) => "The run blends other datasets: give data.blend the run's prefixes, in its order.",
        ("num_samples", _) => "Sizes differ: set dataset.samples of this split (or trainer) to the run's; for a blend also weights and midLevelDatasetSurplus. The run prints its sizes under \"datasets target sizes\".",
        ("size", _) => "The blend's size differs: set dataset.samples of this split (or trainer) to the run's, and dataset.megatronCore to its release.",
        ("index_split", _) => "The description is of another split.",
        ("random_seed", _) => "Set dataset.randomSeed to the run's seed (--seed, random_seed).",
        ("sequence_length", _) => "Set dataset.sequenceLength to the run's (--seq-length, seq_length).",
        ("split", _) => "The split's text is part of the key, blanks included: copy the run's (--split, split) into dataset.split; with a blend per split it is absent.",
        ("split_matrix", _) => "It follows from split: see there.",
        ("tokenizer", _) => "Copy the run's value: index-builder tokenizer --from the run's description prints it for dataset.tokenizer.identifiers.",
        ("weights", _) => "Give data.blend the run's weights, on all members or on none; unweighted blends take the members' lengths, which follow from the data.",
        ("renormalize_blend_weights", _) => "Set dataset.renormalizeBlendWeights as the run has it.",
        _ => "Compare this setting of the run with the resource.",
    };
}
