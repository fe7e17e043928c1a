namespace IndexOperator.TestSupport;

/// <summary>Finds files of the checkout from wherever the tests run.</summary>
public static class RepositoryRoot
{
    private static readonly Lazy<string> Found = new(() =>
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "IndexOperator.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds IndexOperator.sln: run the tests from the checkout.");
    });

    /// <summary>The folder that holds IndexOperator.sln.</summary>
    public static string Folder => Found.Value;

    /// <summary>A path in the checkout, for example <c>PathOf("config/crd")</c>.</summary>
    public static string PathOf(string relative) => Path.Combine(Folder, relative);

    /// <summary>The text of a file of the checkout.</summary>
    public static string ReadText(string relative) => File.ReadAllText(PathOf(relative));
}
