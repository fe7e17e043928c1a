using System.Text;
using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>Damaged texts from outside: refused in the agreed way, never another exception, a hang or an endless message.</summary>
[Trait("Category", "Fuzz")]
public sealed class FuzzTests
{
    [Fact]
    public void A_damaged_resource_is_refused_as_a_manifest_or_validated()
    {
        var directory = Path.Combine(RepositoryRoot.Folder, "tests", "IndexOperator.TestSupport", "Data");
        var originals = Directory.EnumerateFiles(directory, "*.yaml").Select(File.ReadAllBytes).ToList();
        Fuzz.Run("PretrainIndex YAML", 8_000, originals, bytes =>
        {
            try
            {
                var errors = PretrainIndexValidation.Validate(PretrainIndexYaml.Parse(Encoding.UTF8.GetString(bytes)).Spec);
                Assert.True(errors.Count <= PretrainIndexValidation.MaxErrors);
            }
            catch (ManifestException refused)
            {
                Assert.NotEmpty(refused.Message);
            }
        });
    }

    [Fact]
    public void A_damaged_termination_message_is_no_report_or_a_bounded_one()
    {
        List<byte[]> originals =
        [
            """{"outcome":"Built","version":"5605fdd499488fbf3193","fingerprint":"sha256:ab","sizeBytes":12,"files":3,"sequences":9,"tokens":99,"samples":{"train":1,"valid":null},"seconds":1.5,"peakMemoryBytes":1}"""u8.ToArray(),
            """{"outcome":"Failed","reason":"DataMissing","message":"/data/a.idx is not there 😀","stagingRemoved":true}"""u8.ToArray(),
        ];
        Fuzz.Run("termination message", 30_000, originals, bytes =>
        {
            if (BuildReport.TryParse(Encoding.UTF8.GetString(bytes), out var report))
            {
                Assert.NotNull(report);
            }
        });
    }

    [Fact]
    public void A_damaged_log_has_no_progress_or_one_that_can_be_shown()
    {
        List<byte[]> originals =
        [
            "hello\n{\"progress\":{\"phase\":\"SampleIndex\",\"completed\":41,\"total\":100,\"percent\":41,\"etaSeconds\":20}}\n{\"progress\":"u8.ToArray(),
            "{\"progress\":{\"phase\":\"\u001b[31m\",\"percent\":41}}\n{\"progress\":{\"phase\":\"A\",\"percent\":100}}\r\n"u8.ToArray(),
            "{\"progress\":{\"phase\":\"DocumentIndex\",\"completed\":9223372036854775807,\"total\":-1,\"percent\":0}}"u8.ToArray(),
        ];
        Fuzz.Run("log of a build pod", 30_000, originals, bytes =>
        {
            if (BuildProgressLine.FindLast(Encoding.UTF8.GetString(bytes)) is { } progress)
            {
                Assert.InRange(progress.Percent, 0, 100);
                Assert.InRange(progress.Phase.Length, 0, 64);
                Assert.All(progress.Phase, character => Assert.True(char.IsAsciiLetterOrDigit(character)));
            }
        });
    }
}
