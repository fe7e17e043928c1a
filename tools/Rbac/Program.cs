using Rbac;

const string Usage = """
    The operator's rights: writes the roles, and judges by audit logs whether they are exactly what it uses.

    Usage: Rbac generate --output FOLDER
           Rbac audit FOLDER [--part]

      generate  writes what is generated under FOLDER, the root of a checkout: the roles of config/ and the chart's rules
      audit     reads every audit log (*.log) in FOLDER; code 1 where a call of the operator was denied, or a verb that it was
                granted is used in none of them. What was denied while a test took the rights away (USER FROM TO, a line each
                in *.withdrawn) is left out. --part: only a part of the tests ran, so unused verbs prove nothing
    """;

return args switch
{
    ["generate", "--output", { Length: > 0 } folder] => await GenerateAsync(folder),
    ["audit", { Length: > 0 } folder] => await JudgeAsync(folder, isWhole: true),
    ["audit", { Length: > 0 } folder, "--part"] => await JudgeAsync(folder, isWhole: false),
    _ => await HelpAsync(),
};

static async Task<int> GenerateAsync(string folder)
{
    foreach (var (path, text) in Manifests.All)
    {
        var file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, text);
    }

    return 0;
}

static async Task<int> JudgeAsync(string folder, bool isWhole)
{
    var logs = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.log") : [];
    var judgement = Judgement.Of(logs.SelectMany(AuditLog.Read), Granted.All, Directory.Exists(folder) ? Withdrawal.ReadAll(folder) : []);
    Console.WriteLine($"{logs.Length} audit logs, {judgement.Requests} requests of operators by {judgement.Used} granted verbs");
    foreach (var denied in judgement.Denied)
    {
        Console.WriteLine($"denied: {denied}");
    }

    if (!isWhole)
    {
        Console.WriteLine("A part of the tests ran: denied calls were judged, unused verbs were not.");
        return judgement.Denied.Count == 0 ? 0 : 1;
    }

    if (judgement.Requests == 0)
    {
        await Console.Error.WriteLineAsync($"No request of an operator is in {folder}: nothing was proven. Run the tests with INDEXOPERATOR_AUDIT_LOGS={folder}.");
        return 1;
    }

    foreach (var unused in judgement.Unused)
    {
        Console.WriteLine($"granted and never used: {unused}");
    }

    return judgement.IsClean ? 0 : 1;
}

static async Task<int> HelpAsync()
{
    await Console.Error.WriteLineAsync(Usage);
    return 2;
}
