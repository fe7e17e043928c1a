using System.CommandLine;
using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder fingerprint</c>.</summary>
internal static class FingerprintCommand
{
    public static Command Create()
    {
        var (file, map, threads, format) = (CommonOptions.File(), CommonOptions.Map(), CommonOptions.Threads(), CommonOptions.Format());
        var command = new Command("fingerprint", """
            Prints the fingerprint of the data and the version that a build would have. Reads .idx files only; writes nothing.

            Examples:
              index-builder fingerprint -f web-mix.yaml
              index-builder fingerprint -f web-mix.yaml --map /data=./corpus -o json
            """)
        {
            file, map, threads, format,
        };
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var (_, request, data) = terminal.ShowProgress(TimeProvider.System, progress => CommonOptions.LoadWithoutLengths(
                parsed.GetValue(file)!, parsed.GetValue(map)!, new BuildOptions { Threads = parsed.GetValue(threads), Progress = progress }));
            var fingerprint = VersionIdentity.Fingerprint(data.Values);
            var result = new FingerprintResult(
                fingerprint,
                VersionIdentity.Version(fingerprint, request),
                [.. request.Prefixes.Select(prefix => ManifestData.Of(data[prefix]))]);
            Terminal.WriteLine(terminal.Mode == TalkMode.Json
                ? JsonSerializer.Serialize(result, PrettyJson.Context.FingerprintResult)
                : $"fingerprint {result.Fingerprint}\nversion     {result.Version}");
        }));
        return command;
    }
}
