using System.Text.Json.Nodes;
using Xunit;

namespace IndexOperator.TestSupport;

/// <summary>The images for arm64, laid open, and their programs under an emulator: <c>hack/arm64.sh</c> makes them.</summary>
public static class Arm64
{
    private static readonly Lazy<Task<string?>> Folder = new(FindAsync);

    /// <summary>Skips the test where the images cannot be made.</summary>
    public static async Task SkipUnlessEmulatedAsync()
    {
        if (await Folder.Value is null)
        {
            Assert.Skip("needs an amd64 machine with Debian, to build for arm64 and to emulate it; on arm64 itself the other tests say the same.");
        }
    }

    /// <summary>The folder with an image's files, as a container has them in its root.</summary>
    /// <param name="image"><c>operator</c> or <c>builder</c>.</param>
    public static async Task<string> RootAsync(string image) => Path.Combine((await Folder.Value)!, image);

    /// <summary>An image's configuration, as the OCI image specification has it.</summary>
    /// <param name="image"><c>operator</c> or <c>builder</c>.</param>
    public static async Task<JsonNode> ConfigurationAsync(string image) => JsonNode.Parse(await File.ReadAllTextAsync($"{await RootAsync(image)}.json"))!;

    /// <summary>Runs an image's program to its end, with the image's libraries and variables, and this machine's other files.</summary>
    /// <param name="image"><c>operator</c> or <c>builder</c>.</param>
    /// <param name="arguments">Arguments of the program.</param>
    public static async Task<CommandResult> RunAsync(string image, params string[] arguments)
    {
        var root = await RootAsync(image);
        var container = (await ConfigurationAsync(image))["config"]!;
        return await Command.RunAsync(
            "qemu-aarch64-static",
            [
                "-L", root,
                .. container["Env"]!.AsArray().SelectMany(variable => new[] { "-E", (string)variable! }),
                $"{root}{(string)container["Entrypoint"]![0]!}",
                .. arguments,
            ],
            cancellation: TestContext.Current.CancellationToken);
    }

    private static async Task<string?> FindAsync()
    {
        var made = await Command.RunAsync(RepositoryRoot.PathOf("hack/arm64.sh"), [], deadline: TimeSpan.FromMinutes(20));
        if (made.ExitCode == 77)
        {
            return null;
        }

        Assert.True(made.ExitCode == 0, made.ToString());
        return made.Output.Trim();
    }
}
