using CycloneDX.Json;
using Sbom;

const string Usage = """
    The images' bills of materials, in CycloneDX: what the lock files say that is in them, and the .NET runtime.

    Usage: Sbom generate --output FOLDER

      generate  writes sbom/TARGET-ARCHITECTURE.cdx.json under FOLDER, for each image. Run from the root of a checkout that was restored
    """;

if (args is not ["generate", "--output", { Length: > 0 } folder])
{
    await Console.Error.WriteLineAsync(Usage);
    return 2;
}

var checkout = new Checkout(Environment.CurrentDirectory);
foreach (var image in Image.All)
{
    var text = BillOfMaterials.Write(image, checkout);
    var validity = Validator.Validate(text, BillOfMaterials.Specification);
    if (!validity.Valid)
    {
        await Console.Error.WriteLineAsync($"{image.Path} would be no valid CycloneDX: {string.Join("; ", validity.Messages)}");
        return 1;
    }

    var file = Path.Combine(folder, image.Path);
    Directory.CreateDirectory(Path.GetDirectoryName(file)!);
    await File.WriteAllTextAsync(file, text);
}

return 0;
