using System.Text.Json;
using System.Text.RegularExpressions;

namespace IndexOperator.Builder.Tests;

/// <summary>What holds for every verb: its help, its JSON, its exit codes, its progress bar.</summary>
public sealed partial class VerbTests(VerbTests.Built built) : IClassFixture<VerbTests.Built>
{
    /// <summary>Verbs and arguments that work; words in braces are paths of the fixture.</summary>
    private static readonly string[] Good =
    [
        "build -f {manifest} --cache-root {cache}",
        "build -f {manifest} --output {new}",
        "plan -f {manifest}",
        "plan -f {manifest} --fingerprint",
        "fingerprint -f {manifest}",
        "verify {version}",
        "verify {version} --recompute",
        "verify {version} --with-data",
        "verify {bare}",
        "verify {bare} --with-data",
        "check -f {manifest} --cache-root {cache} --version-name {versionName} --content --checksums",
        "inspect {idx}",
        "inspect {npy}",
        "inspect {version}",
        "inspect {bare}",
        "inspect {version} --sample 0 --count 2",
        "explain -f {manifest} --cache {version}",
        "explain -f {manifest} --description {description}",
        "explain -f {manifest} --log {hitLog}",
        "check-run -f {manifest} --tokenizer {tokenizer} --command {command}",
        "check-run -f {manifest} --tokenizer {tokenizer} --config {config} --sizes 50,-,-",
        "wait --annotations {annotations}",
        "stage {version} {new}",
        "stage {version} {staged}",
        "tokenizer --from {description}",
        "tokenizer --from {bare}",
        "prune --cache-root {cache} --build-id nobody",
        "prune --cache-root {cache} --discard-staging nobody.",
        "prune --cache-root {cache} --remove 00000000000000000000 --dry-run",
        "prune --cache-root {cache} --keep {versionName}",
    ];

    /// <summary>Exit codes that a verb's arguments end in. 75 and the other ways to 4 are in InterruptionTests, RaceTests and StorageTests.</summary>
    private static readonly (int Code, string Reason, string Arguments)[] Bad =
    [
        (1, "", "explain -f {other} --description {description}"),
        (1, "", "explain -f {other} --cache {bare}"),
        (1, "", "explain -f {other} --log {hitLog}"),
        (1, "", "check-run -f {other} --tokenizer {tokenizer} --command {command}"),
        (1, "", "check-run -f {other} --tokenizer {tokenizer} --config {config} --sizes 50,-,-"),
        (2, "InvalidSpec", "check-run -f {manifest} --command {manifest}"),
        (2, "InvalidSpec", "check-run -f {manifest} --config {nowhere}"),
        (2, "InvalidSpec", "check-run -f {nowhere} --config {config}"),
        (2, "InvalidSpec", "explain -f {manifest} --log {manifest}"),
        (2, "InvalidSpec", "wait --annotations {corpus}"),
        (75, "Timeout", "wait --annotations {nowhere} --timeout 1ms"),
        (2, "InvalidSpec", "stage {nowhere} {new}"),
        (2, "InvalidSpec", "stage {version} {corpus}"),
        (4, "", "stage {version} /sys/index-operator"),
        (5, "VersionCorrupt", "stage {damaged} {new}"),
        (2, "InvalidSpec", "build -f {nowhere} --cache-root {cache}"),
        (2, "InvalidSpec", "build -f {npy} --cache-root {cache}"),
        (2, "InvalidSpec", "plan -f {nowhere}"),
        (2, "EmptySplit", "plan -f {empty}"),
        (2, "EmptySplit", "build -f {empty} --cache-root {cache}"),
        (2, "InvalidSpec", "fingerprint -f {nowhere}"),
        (2, "InvalidSpec", "verify {nowhere}"),
        (2, "InvalidSpec", "inspect {version} --sample 99999999"),
        (2, "InvalidSpec", "inspect {manifest}"),
        (2, "InvalidSpec", "explain -f {manifest} --cache {nowhere}"),
        (2, "InvalidSpec", "explain -f {manifest} --description {npy}"),
        (2, "InvalidSpec", "tokenizer --from {nowhere}"),
        (2, "InvalidSpec", "prune --cache-root {cache} --keep 00000000000000000000"),
        (2, "InvalidSpec", "prune --cache-root {cache} --remove nonsense"),
        (2, "InvalidSpec", "prune --cache-root {nowhere} --remove 00000000000000000000"),
        (3, "DataMissing", "build -f {absent} --cache-root {cache}"),
        (3, "DataMissing", "plan -f {absent}"),
        (3, "DataMissing", "fingerprint -f {absent}"),
        (3, "DataMissing", "explain -f {absent} --cache {version}"),
        (2, "InvalidSpec", "check -f {nowhere} --cache-root {cache} --version-name {versionName}"),
        (3, "DataMissing", "inspect {nowhere}.idx"),
        (3, "DataMissing", "verify {corpus}"),
        (3, "DataCorrupt", "build -f {torn} --cache-root {cache}"),
        (3, "DataCorrupt", "plan -f {torn}"),
        (3, "DataCorrupt", "fingerprint -f {torn}"),
        (3, "DataCorrupt", "inspect {tornIdx}"),
        (4, "", "build -f {manifest} --cache-root /sys/index-operator"),
        (4, "", "build -f {manifest} --output /sys/index-operator"),
        (5, "VersionCorrupt", "verify {damaged}"),
        (5, "VersionCorrupt", "build -f {manifest} --cache-root {damagedCache}"),
        (5, "VersionCorrupt", "inspect {damaged} --sample 0"),
        (5, "VersionCorrupt", "inspect {tornNpy}"),
    ];

    public static TheoryData<string> Verbs => ["build", "plan", "fingerprint", "verify", "check", "inspect", "explain", "check-run", "tokenizer", "wait", "stage", "prune"];

    public static TheoryData<string> GoodCommands => [.. Good];

    public static TheoryData<int, string, string> BadCommands
    {
        get
        {
            var data = new TheoryData<int, string, string>();
            foreach (var (code, reason, arguments) in Bad)
            {
                data.Add(code, reason, arguments);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_verb_has_help_with_examples_and_a_JSON_format(string verb)
    {
        var (code, output, errors) = BuilderProcess.Run(verb, "--help");
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("Examples:", output, StringComparison.Ordinal);
        Assert.Contains("index-builder " + verb + " ", output, StringComparison.Ordinal);
        Assert.Contains("text|json", output, StringComparison.Ordinal);
        Assert.Contains(Good, command => command.StartsWith(verb + " ", StringComparison.Ordinal));
        Assert.Contains(Bad, command => command.Arguments.StartsWith(verb + " ", StringComparison.Ordinal));
    }

    [Fact]
    public void The_program_names_every_verb()
    {
        var (code, output, _) = BuilderProcess.Run("--help");
        Assert.Equal(0, code);
        Assert.All(Verbs, verb => Assert.Contains($"\n  {verb.Data}", output, StringComparison.Ordinal));
        Assert.Contains("Exit codes", output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(GoodCommands))]
    public void Every_verb_does_its_work_in_text_and_in_one_JSON_document(string arguments)
    {
        var (code, output, errors) = built.Run(arguments, "-o", "text");
        Assert.True(code == 0, errors);
        Assert.NotEqual("", output.Trim());
        (code, output, errors) = built.Run(arguments, "-o", "json");
        Assert.Equal((0, ""), (code, errors));
        using var document = JsonDocument.Parse(output);
        Assert.True(document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array);
    }

    [Theory]
    [MemberData(nameof(BadCommands))]
    public void Every_failure_has_its_exit_code_and_says_why_in_text_and_JSON(int code, string reason, string arguments)
    {
        var text = built.Run(arguments, "-o", "text");
        Assert.True(text.ExitCode == code, $"{text.ExitCode}: {text.Output}{text.Errors}");
        Assert.DoesNotContain("   at ", text.Errors, StringComparison.Ordinal);
        var json = built.Run(arguments, "-o", "json");
        Assert.Equal(code, json.ExitCode);
        using var document = JsonDocument.Parse(json.Output);
        if (code == 1)
        {
            Assert.Equal("", text.Errors);
            return;
        }

        Assert.Contains("index-builder: " + reason, text.Errors, StringComparison.Ordinal);
        Assert.StartsWith(reason, document.RootElement.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(document.RootElement.GetProperty("message").GetString()!);
    }

    [Fact]
    public void A_version_tells_which_releases_can_have_written_it_in_JSON_too()
    {
        using var document = JsonDocument.Parse(built.Run("inspect {version}", "-o", "json").Output);
        Assert.Equal(built.Paths["versionName"], document.RootElement.GetProperty("version").GetString());
        Assert.Contains("0.19", document.RootElement.GetProperty("writtenBy").GetProperty("releases").EnumerateArray().Select(release => release.GetString()));
    }

    [Theory]
    [InlineData("build -f {large} --output {new}", "Built")]
    [InlineData("fingerprint -f {large}", "fingerprint")]
    [InlineData("plan -f {large} --fingerprint", "bytes")]
    [InlineData("inspect {largeIdx}", "sequences")]
    [InlineData("explain -f {large} --cache {bare}", "not what")]
    [InlineData("verify {bare} --with-data", "OK")]
    public async Task A_terminal_shows_a_progress_bar_and_then_the_result(string arguments, string ending)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "script, which gives a program a terminal, is not installed.");
        var result = await BuilderProcess.RunOnTerminal(built.Fill(arguments));
        var output = result.Output;
        Assert.True(result.ExitCode is 0 or 1, output);
        Assert.Matches(@"\d+%", output);
        Assert.Contains(ending, output, StringComparison.Ordinal);

        // The others are over too soon for a bar that is drawn ten times a second.
        Assert.True(!arguments.StartsWith("build", StringComparison.Ordinal) || Percentages().Matches(output).Select(match => match.Value).Distinct().Count() > 2, output);
    }

    [GeneratedRegex(@"\d+%")]
    private static partial Regex Percentages();

    /// <summary>A corpus with everything that the commands name, built once.</summary>
    public sealed class Built : IDisposable
    {
        private readonly Workspace _workspace = new();
        private int _outputs;

        public Built()
        {
            _workspace.WriteText("a", 300);
            _workspace.WriteText("tiny", 3);
            _workspace.WriteText("torn", 300);
            _workspace.WriteHoles("large", 3_000_000);
            File.WriteAllBytes(_workspace["corpus/torn.idx"], File.ReadAllBytes(_workspace["corpus/torn.idx"])[..^9]);
            Paths = new(StringComparer.Ordinal)
            {
                ["manifest"] = _workspace.WriteManifest("[{prefix: /data/a}]"),
                ["other"] = _workspace.WriteManifest("[{prefix: /data/a}]", "samples: {train: 51}", "other.yaml"),
                ["empty"] = _workspace.WriteManifest("[{prefix: /data/tiny}]", "samples: {train: 2, validation: 5}", "empty.yaml"),
                ["absent"] = _workspace.WriteManifest("[{prefix: /data/absent}]", name: "absent.yaml"),
                ["torn"] = _workspace.WriteManifest("[{prefix: /data/torn}]", name: "torn.yaml"),
                ["large"] = _workspace.WriteManifest("[{prefix: /data/large}]", "samples: {train: 15000000}", "large.yaml"),
                ["tornIdx"] = _workspace["corpus/torn.idx"],
                ["tornNpy"] = _workspace["torn.npy"],
                ["idx"] = _workspace["corpus/a.idx"],
                ["largeIdx"] = _workspace["corpus/large.idx"],
                ["corpus"] = _workspace["corpus"],
                ["cache"] = _workspace.Cache,
                ["damagedCache"] = _workspace["damaged"],
                ["bare"] = _workspace["bare"],
                ["nowhere"] = _workspace["nowhere"],
            };
            foreach (var target in new[] { "--cache-root {cache}", "--cache-root {damagedCache}", "--output {bare}" })
            {
                var (code, _, errors) = Run("build -f {manifest} " + target);
                Assert.True(code == 0, errors);
            }

            Paths["version"] = _workspace.Versions[0];
            Paths["versionName"] = Path.GetFileName(_workspace.Versions[0]);
            Paths["damaged"] = Path.Combine(_workspace["damaged"], "versions", Paths["versionName"]);
            Paths["npy"] = Directory.GetFiles(Paths["bare"], "*-train-shuffle_index.npy")[0];
            Paths["description"] = Directory.GetFiles(Paths["bare"], "*-train-description.txt")[0];
            Paths["staged"] = _workspace["staged"];
            Paths["tokenizer"] = Write("tokenizer.json", """{"class": "ByteTokenizer"}""");
            Paths["annotations"] = Write("annotations", "indexoperator.io/version=\"5f0c0e6d0b1a2c3d4e5f\"\n");
            Paths["command"] = Write("command.txt", "pretrain_gpt.py --data-path /data/a --split 90,10,0 --seq-length 32 --micro-batch-size 1 --global-batch-size 1 --train-samples 50 --eval-iters 0 --eval-interval 10 --full-validation --data-cache-path /npy_index\n");
            Paths["config"] = Write("config.yaml", "data: {paths: /data/a, seq_length: 32, split: '90,10,0', global_batch_size: 1, index_mapping_dir: /npy_index}\ntrainer: {max_steps: 50, limit_val_batches: 1, val_check_interval: 50}\n");
            Paths["hitLog"] = Write("run.log", $"OSError: [Errno 30] Read-only file system: '/npy_index/{Path.GetFileName(Paths["description"])}'\n");
            File.WriteAllBytes(Paths["tornNpy"], File.ReadAllBytes(Paths["npy"])[..^1]);
            foreach (var file in Directory.GetFiles(Paths["damaged"], "*-train-*_index.npy"))
            {
                File.WriteAllBytes(file, File.ReadAllBytes(file)[..^4]);
            }
        }

        public Dictionary<string, string> Paths { get; }

        private string Write(string name, string text)
        {
            File.WriteAllText(_workspace[name], text);
            return _workspace[name];
        }

        public (int ExitCode, string Output, string Errors) Run(string arguments, params string[] more) => BuilderProcess.Run([.. Fill(arguments), .. more]);

        public void Dispose() => _workspace.Dispose();

        public string[] Fill(string arguments)
        {
            var words = arguments.Replace("{new}", _workspace[$"new-{Interlocked.Increment(ref _outputs)}"], StringComparison.Ordinal).Split(' ');
            var filled = words.Select(word => Paths.Aggregate(word, (text, path) => text.Replace("{" + path.Key + "}", path.Value, StringComparison.Ordinal)));
            var isMapped = words[0] is "build" or "plan" or "fingerprint" or "explain" or "check" or "check-run" || arguments.Contains("--with-data", StringComparison.Ordinal) || arguments.Contains("--sample", StringComparison.Ordinal);
            return [.. filled, .. isMapped ? new[] { "--map", _workspace.Map } : []];
        }
    }
}
