using System.Text.RegularExpressions;

namespace IndexOperator.Builder.CheckRun;

/// <summary>Which arguments of Megatron-LM are read, which cannot matter, and which may.</summary>
internal static partial class MegatronArguments
{
    /// <summary>Read, or known to change neither names nor bytes of an index although their names sound like it.</summary>
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "--data-path", "--train-data-path", "--valid-data-path", "--test-data-path", "--data-args-path", "--per-split-data-args-path", "--split", "--seq-length", "--encoder-seq-length", "--seed",
        "--train-iters", "--train-samples", "--eval-iters", "--eval-interval", "--eval-global-batch-size", "--eval-micro-batch-size", "--start-eval-at-iter", "--full-validation",
        "--multiple-validation-sets", "--mid-level-dataset-surplus", "--fim-data", "--data-cache-path", "--per-dataset-sequences-path", "--dataloader-fast-cache-load",
        "--dataloader-defer-npy-index-mmap", "--tokenizer-type", "--tokenizer-model", "--tokenizer-metadata", "--tokenizer-special-tokens", "--special-tokens", "--vocab-file",
        "--merge-file", "--vocab-size", "--padded-vocab-size", "--tokenizer-hf-no-use-fast", "--tokenizer-hf-no-include-special-tokens", "--chat-template", "--legacy-tokenizer",
        "--vocab-extra-ids", "--null-tokenizer-eod-id", "--null-tokenizer-pad-id", "--tokenizer-sentencepiece-legacy",
        "--num-dataset-builder-threads", "--no-mmap-bin-files", "--dataloader-type", "--dataloader-inter-document-masking", "--data-parallel-sharding-strategy",
        "--data-parallel-random-init", "--no-data-sharding", "--make-vocab-size-divisible-by", "--no-create-attention-mask-in-dataloader", "--create-attention-mask-in-dataloader",
        "--sequence-parallel", "--rotary-seq-len-interpolation-factor", "--allow-ambiguous-pad-tokens", "--cache-mla-latents", "--no-pad-vocab-size",
        "--fim-rate", "--fim-spm-rate", "--fim-split-sample", "--fim-fragment-rate", "--fim-no-prefix", "--fim-prefix-token", "--fim-middle-token", "--fim-suffix-token",
        "--fim-pad-token", "--fim-eod-token", "--te-rng-tracker", "--inprocess-empty-cuda-cache", "--keep-fp8-transpose-cache", "--muon-no-split-qkv", "--data-parallel-size",
        "--use-same-sampling-seed-across-dp-ranks", "--moe-token-dispatcher-type", "--moe-token-drop-policy", "--moe-pad-expert-input-to-capacity", "--validation-set-names",
        "--lr-decay-samples", "--lr-warmup-samples", "--lr-wsd-decay-samples", "--override-dataloader-state", "--dataloader-save", "--tiktoken-num-special-tokens",
        "--tiktoken-pattern", "--object-storage-cache-path",
    };

    /// <summary>Whether an argument that is not read may decide names or bytes of an index.</summary>
    public static bool MayMatter(string name) =>
        !Known.Contains(name) && !name.StartsWith("--moe-", StringComparison.Ordinal) && !name.StartsWith("--inference-", StringComparison.Ordinal) && !name.StartsWith("--rl-", StringComparison.Ordinal)
        && Words().IsMatch(name);

    [GeneratedRegex("(^|-)(data|dataset|datasets|dataloader|token|tokens|tokenizer|split|blend|vocab|seq|sequence|sample|samples|seed|eval|valid|validation)(-|$)", RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
