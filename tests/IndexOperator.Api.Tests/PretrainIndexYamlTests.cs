namespace IndexOperator.Api.Tests;

public sealed class PretrainIndexYamlTests
{
    [Fact]
    public void Reads_the_manifest_that_kubectl_takes()
    {
        var index = PretrainIndexYaml.Parse(Manifests.Minimal);
        Assert.Equal("web", index.Metadata.Name);
        Assert.Equal("/data/web_text_document", Assert.Single(index.Spec.Data.Blend!).Prefix);
        Assert.Equal(4096, index.Spec.Dataset.SequenceLength);
    }

    [Fact]
    public void Passes_over_other_kinds_in_the_file()
    {
        var index = PretrainIndexYaml.Parse($"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\n---\n{Manifests.Minimal}\n---\n");
        Assert.Equal("web", index.Metadata.Name);
    }

    [Fact]
    public void Refuses_a_file_without_a_PretrainIndex() =>
        Assert.Contains("holds no PretrainIndex", Fails("apiVersion: v1\nkind: ConfigMap\n"), StringComparison.Ordinal);

    [Fact]
    public void Refuses_a_file_with_two() =>
        Assert.Contains("holds 2 pretrainindexes", Fails($"{Manifests.Minimal}\n---\n{Manifests.Minimal}"), StringComparison.Ordinal);

    [Fact]
    public void Refuses_another_version_of_the_API() =>
        Assert.Contains("this release reads indexoperator.io/v1alpha1", Fails(Manifests.Minimal.Replace("v1alpha1", "v2", StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void Names_the_unknown_field_with_its_path()
    {
        var message = Fails(Manifests.Minimal.Replace("sequenceLength", "sequencelength", StringComparison.Ordinal));
        Assert.StartsWith("spec.dataset.sequencelength: unknown field.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_the_unknown_field_inside_a_list()
    {
        var message = Fails(Manifests.Minimal.Replace("prefix:", "wieght: 1\n      prefix:", StringComparison.Ordinal));
        Assert.StartsWith("spec.data.blend[0].wieght: unknown field.", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sequenceLength: 4096", "sequenceLength: \"4096\"", "spec.dataset.sequenceLength: must be a whole number")]
    [InlineData("sequenceLength: 4096", "sequenceLength: 4096.5", "spec.dataset.sequenceLength: must be a whole number")]
    [InlineData("sequenceLength: 4096", "sequenceLength: 3000000000", "spec.dataset.sequenceLength: must be a whole number")]
    [InlineData("sequenceLength: 4096", "sequenceLength: [1]", "spec.dataset.sequenceLength: must be a whole number")]
    [InlineData("claimName: corpus", "claimName: 12", "spec.data.claimName: must be a text; put it in quotes")]
    [InlineData("claimName: corpus", "claimName: {a: b}", "spec.data.claimName: must be a text; put it in quotes")]
    [InlineData("split: \"900,50,50\"", "split: \"900,50,50\"\n    megatronCore: 0.10", "spec.dataset.megatronCore: must be a text; put it in quotes")]
    [InlineData("split: \"900,50,50\"", "split: \"900,50,50\"\n    fullValidation: maybe", "spec.dataset.fullValidation: must be true or false")]
    [InlineData("preset: NeMoAutoTokenizer", "preset: Other", "spec.dataset.tokenizer.preset: must be one of NeMoAutoTokenizer, NeMoSentencePieceTokenizer")]
    [InlineData("claimName: npy-index", "claimName: npy-index\n    deletionPolicy: Keep", "spec.cache.deletionPolicy: must be one of Retain, Delete")]
    [InlineData("claimName: npy-index", "claimTemplate: {size: lots}", "lots")]
    [InlineData("claimName: npy-index", "claimTemplate: {size: 10nn}", "A quantity cannot be read")]
    [InlineData("claimName: npy-index", "claimTemplate: 5", "spec.cache.claimTemplate: must be an object with fields")]
    [InlineData("- prefix: /data/web_text_document", "  prefix: /data/web_text_document", "spec.data.blend: must be a list")]
    [InlineData("claimName: npy-index", "claimName: npy-index\n  build: {timeout: 5 minutes}", "spec.build.timeout: Not a duration")]
    [InlineData("claimName: npy-index", "claimName: npy-index\n  build: {timeout: 5}", "spec.build.timeout: A duration is a string")]
    [InlineData("- prefix: /data/web_text_document", "-", "spec.data.blend[0]: is empty")]
    public void Says_what_belongs_in_a_field_of_the_wrong_type(string written, string instead, string message) =>
        Assert.Contains(message, Fails(Manifests.Minimal.Replace(written, instead, StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void Takes_null_for_absent_as_the_API_server_does()
    {
        var index = PretrainIndexYaml.Parse(Manifests.Minimal + "\n  build:\n  refresh: {interval: null}\n  dataVersion: ~\n");
        Assert.Equal("2h", index.Spec.Build.Timeout.ToString());
        Assert.Equal("1h", index.Spec.Refresh.Interval.ToString());
        Assert.Null(index.Spec.DataVersion);
    }

    [Fact]
    public void Refuses_a_file_larger_than_an_API_server_takes() =>
        Assert.Contains("at most 3145728 are read", Fails(new string(' ', PretrainIndexYaml.MaxCharacters + 1)), StringComparison.Ordinal);

    private static string Fails(string yaml) => Assert.Throws<ManifestException>(() => PretrainIndexYaml.Parse(yaml)).Message;
}
