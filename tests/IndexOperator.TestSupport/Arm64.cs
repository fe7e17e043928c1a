using Xunit;

namespace IndexOperator.TestSupport;

/// <summary>The programs compiled for arm64, under an emulator: <c>hack/arm64.sh</c> makes them.</summary>
public static class Arm64
{
    private static readonly Lazy<Task<string?>> Folder = new(FindAsync);

    /// <summary>Skips the test where the programs cannot be made.</summary>
    public static async Task SkipUnlessEmulatedAsync()
    {
        if (await Folder.Value is null)
        {
            Assert.Skip("needs an amd64 machine with Debian, to compile for arm64 and to emulate it; on arm64 itself the other tests say the same.");
        }
    }

    /// <summary>Runs one of the programs to its end.</summary>
    /// <param name="program">Its path, for example <c>builder/index-builder</c>.</param>
    /// <param name="arguments">Its arguments.</param>
    public static async Task<CommandResult> RunAsync(string program, params string[] arguments) => await Command.RunAsync(
        "qemu-aarch64-static",
        ["-L", await PathOfAsync("root"), await PathOfAsync(program), .. arguments],
        deadline: TimeSpan.FromMinutes(5),
        cancellation: TestContext.Current.CancellationToken);

    /// <summary>Where a program is.</summary>
    /// <param name="program">Its path, for example <c>builder/index-builder</c>.</param>
    public static async Task<string> PathOfAsync(string program) => Path.Combine((await Folder.Value)!, program);

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
