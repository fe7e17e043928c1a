using CrdGen;

const string Usage = """
    Writes the CustomResourceDefinition of PretrainIndex from the C# types.

    Usage: CrdGen --output FOLDER [--check]

      --output FOLDER  where indexoperator.io_pretrainindexes.yaml goes
      --check          write nothing; exit 1 when the file differs from what the types say
    """;

string? folder = null;
var check = false;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--output" when i + 1 < args.Length:
            folder = args[++i];
            break;
        case "--check":
            check = true;
            break;
        default:
            folder = null;
            i = args.Length;
            break;
    }
}

if (folder is null)
{
    await Console.Error.WriteLineAsync(Usage);
    return 2;
}

try
{
    var file = Path.Combine(folder, CustomResourceDefinition.FileName);
    var wanted = CustomResourceDefinition.Generate();
    if (!check)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(file, wanted);
        return 0;
    }

    if (File.Exists(file) && await File.ReadAllTextAsync(file) == wanted)
    {
        return 0;
    }

    await Console.Error.WriteLineAsync($"{file} is not what the C# types say. Run: make manifests");
    return 1;
}
catch (SchemaException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return 1;
}
