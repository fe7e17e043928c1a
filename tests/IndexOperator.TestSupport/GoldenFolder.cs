using Xunit;

namespace IndexOperator.TestSupport;

/// <summary>Expected results as files of the checkout. <c>UPDATE_GOLDEN=1</c> writes them instead of comparing.</summary>
/// <param name="relative">The folder, from the root of the checkout.</param>
public sealed class GoldenFolder(string relative)
{
    /// <summary>Asserts that a file of the folder holds exactly these bytes.</summary>
    public void AssertBytes(string name, byte[] actual)
    {
        if (Expected(name, actual) is not { } expected)
        {
            return;
        }

        Assert.Equal(expected, actual);
    }

    /// <summary>Asserts that a file of the folder holds exactly this text.</summary>
    public void AssertText(string name, string actual)
    {
        if (Expected(name, System.Text.Encoding.UTF8.GetBytes(actual)) is not { } expected)
        {
            return;
        }

        Assert.Equal(System.Text.Encoding.UTF8.GetString(expected), actual);
    }

    private byte[]? Expected(string name, byte[] actual)
    {
        var path = Path.Combine(RepositoryRoot.PathOf(relative), name);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, actual);
            return null;
        }

        Assert.True(File.Exists(path), $"{relative}/{name} does not exist. Write it with UPDATE_GOLDEN=1 and read it before you commit it.");
        return File.ReadAllBytes(path);
    }
}
