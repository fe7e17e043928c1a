using System.Globalization;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// The arguments of a Megatron-LM command line for an index (<c>MEGATRON_DATA_CACHE_ARGS</c>): where the cache is, and the options for a
/// faster start where they are safe. An option that is given wrongly stops the run at once, or, worse, reads the data as what it is not; one
/// that is left out costs seconds. So each is given only where the spec alone proves it right.
/// </summary>
/// <remarks>Names and behaviour are those of Megatron-LM's sources at the tags core_v0.7.0 to core_v0.19.0 and on main (<c>d98e8a64</c>).</remarks>
public static class LaunchArguments
{
    private const int FirstFastRelease = 16;
    private const long LargestUInt16Vocabulary = 65536;

    /// <summary>
    /// The arguments, separated by blanks; null where the mount path has characters that a shell would not take as they are, since then
    /// the variable could not be used as <c>$MEGATRON_DATA_CACHE_ARGS</c>.
    /// </summary>
    public static string? Of(PretrainIndexSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var path = spec.Cache.MountPath;
        return path.All(IsPlain) ? string.Join(' ', Arguments(spec, path)) : null;
    }

    private static IEnumerable<string> Arguments(PretrainIndexSpec spec, string path)
    {
        yield return $"--data-cache-path {path}";
        if (!HasFastOptions(spec.Dataset))
        {
            yield break;
        }

        if (MayLoadFast(spec))
        {
            yield return "--dataloader-fast-cache-load";
        }

        if (MayDefer(spec))
        {
            yield return "--dataloader-defer-npy-index-mmap";
        }

        if (MayCountAhead(spec.Dataset))
        {
            yield return $"--per-dataset-sequences-path {path}/per-dataset-sequences.json";
        }
    }

    /// <summary>
    /// All three came with 0.16 (<c>megatron/training/arguments.py</c>: not in core_v0.15.3, in core_v0.16.0); an earlier parser ends at an argument
    /// that it does not know. Other frameworks have no such command line, and a subclass of GPTDataset may read its index in ways of its own.
    /// </summary>
    private static bool HasFastOptions(DatasetSpec dataset) =>
        Minor(dataset.MegatronCore) >= FirstFastRelease
        && dataset.DatasetClass == DatasetClasses.Default
        && dataset.Trainer?.Framework is null or TrainerFramework.MegatronLM;

    /// <summary>
    /// <c>blended_megatron_dataset_config.py</c>, <c>__post_init__</c>: fast_cache_load asserts that there is a cache path and that <c>blend</c> is None.
    /// It then looks for no file (a run that asks for another index ends at once, with the missing file's name, instead of rank 0 building on
    /// a read-only mount while the others wait) and takes all sequences of each prefix, which is what a blend for each split has.
    /// </summary>
    private static bool MayLoadFast(PretrainIndexSpec spec) => spec.Data.BlendPerSplit is not null;

    /// <summary>
    /// <c>gpt_dataset.py</c>, <c>__len__</c>: with defer_npy_index_mmap the length is computed from tokens instead of read from the file, and lengths
    /// are weights in the key of an unweighted blend. The formula is that of <c>helpers.cpp</c> in whole numbers, but (1) where the last partial
    /// validation sequence is kept, it rounds in double precision what <c>helpers.cpp</c> rounds in single; (2) one epoch of an empty part of a split has
    /// length -1 in Python's division, where the file has 0. (2) cannot be where each split has its own blend, or where every split's
    /// number of samples is given.
    /// </summary>
    private static bool MayDefer(PretrainIndexSpec spec) =>
        spec.Dataset.DropLastPartialValidationSequence && (spec.Data.BlendPerSplit is not null || IsEverySizeGiven(spec));

    /// <summary>
    /// <c>gpt_dataset.py</c>, <c>__post_init__</c>: with --per-dataset-sequences-path the type of the tokens is not read from the <c>.idx</c> file but guessed from
    /// the tokenizer: int32 above 65536 tokens, else uint16. Data in int32 with a small vocabulary is then read as twice as many wrong tokens.
    /// A large vocabulary leaves no choice, as its tokens do not fit into uint16; so it is given there only, and of all that a spec can say
    /// about a tokenizer only NullTokenizer tells how large its vocabulary is (0.16 and 0.17 add one to it for the end of a document).
    /// </summary>
    private static bool MayCountAhead(DatasetSpec dataset) =>
        dataset.Tokenizer is { Preset: TokenizerPreset.NullTokenizer, VocabSize: > LargestUInt16Vocabulary };

    private static bool IsEverySizeGiven(PretrainIndexSpec spec) =>
        spec.Dataset.Samples is { Train: not null, Validation: not null, Test: not null }
        || (spec.Dataset.Trainer is { } trainer && trainer.FullValidation != true && !spec.Dataset.FullValidation);

    /// <summary>The number behind the dot; the development branch is later than all.</summary>
    private static int Minor(string release) =>
        release.StartsWith("0.", StringComparison.Ordinal) && int.TryParse(release.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? minor
            : int.MaxValue;

    // What no shell splits, expands or takes for a quote.
    private static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || character is '/' or '.' or '_' or '-' or '+' or ',' or '@' or '%' or '=';
}
