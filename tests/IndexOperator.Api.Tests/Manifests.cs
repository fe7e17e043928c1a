namespace IndexOperator.Api.Tests;

internal static class Manifests
{
    /// <summary>Only required fields.</summary>
    public const string Minimal = """
        apiVersion: indexoperator.io/v1alpha1
        kind: PretrainIndex
        metadata:
          name: web
        spec:
          data:
            claimName: corpus
            mountPath: /data
            blend:
            - prefix: /data/web_text_document
          dataset:
            sequenceLength: 4096
            split: "900,50,50"
            tokenizer:
              preset: NeMoAutoTokenizer
          cache:
            claimName: npy-index
        """;

    public static PretrainIndexSpec Spec => PretrainIndexYaml.Parse(Minimal).Spec;
}
