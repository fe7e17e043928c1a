using System.Text.Json.Serialization;

namespace IndexOperator.Api;

/// <summary>What happens to published versions when their resource is deleted.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeletionPolicy>))]
public enum DeletionPolicy
{
    /// <summary>They stay on the volume.</summary>
    Retain,

    /// <summary>They are removed, unless another resource uses them.</summary>
    Delete,
}

/// <summary>What follows when the data changed in place.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ChangePolicy>))]
public enum ChangePolicy
{
    /// <summary>Ready is taken away and a new version is built.</summary>
    Rebuild,

    /// <summary>Ready is taken away until a person changes the resource.</summary>
    Hold,

    /// <summary>Ready stays; only DataCurrent becomes False.</summary>
    Report,
}

/// <summary>Which nodes may run a build.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Placement>))]
public enum Placement
{
    /// <summary>Nodes with the GPU label; the GPU taint is tolerated.</summary>
    GPUNodes,

    /// <summary>Whatever the scheduler and the other fields allow.</summary>
    Any,
}

/// <summary>Access modes of a claim.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ClaimAccessMode>))]
public enum ClaimAccessMode
{
    /// <summary>Read-write by one node.</summary>
    ReadWriteOnce,

    /// <summary>Read-only by many nodes; a cache cannot be published on it.</summary>
    ReadOnlyMany,

    /// <summary>Read-write by many nodes.</summary>
    ReadWriteMany,

    /// <summary>Read-write by one pod.</summary>
    ReadWriteOncePod,
}

/// <summary>Well-known tokenizer classes; what each reports is in <see cref="TokenizerPresets"/>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TokenizerPreset>))]
public enum TokenizerPreset
{
    /// <summary>NeMo 2's AutoTokenizer (Hugging Face).</summary>
    NeMoAutoTokenizer,

    /// <summary>NeMo 2's SentencePieceTokenizer.</summary>
    NeMoSentencePieceTokenizer,

    /// <summary>Megatron-LM's HuggingFaceTokenizer.</summary>
    HuggingFaceTokenizer,

    /// <summary>Megatron-LM's GPT2BPETokenizer, up to 0.14.</summary>
    GPT2BPETokenizer,

    /// <summary>Megatron-LM's SentencePieceTokenizer, up to 0.14.</summary>
    SentencePieceTokenizer,

    /// <summary>Megatron-LM's GPTSentencePieceTokenizer, up to 0.14.</summary>
    GPTSentencePieceTokenizer,

    /// <summary>Megatron-LM's Llama2Tokenizer, up to 0.14.</summary>
    Llama2Tokenizer,

    /// <summary>Megatron-LM's lower-casing BertWordPieceTokenizer, up to 0.14.</summary>
    BertWordPieceTokenizer,

    /// <summary>Megatron-LM's NullTokenizer, up to 0.19.</summary>
    NullTokenizer,
}

/// <summary>Frameworks whose arithmetic turns training settings into samples.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainerFramework>))]
public enum TrainerFramework
{
    /// <summary>NeMo 2.</summary>
    NeMo,

    /// <summary>Megatron-LM's command line.</summary>
    MegatronLM,

    /// <summary>Megatron-Bridge.</summary>
    MegatronBridge,
}
