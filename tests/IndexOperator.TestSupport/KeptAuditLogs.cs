namespace IndexOperator.TestSupport;

/// <summary>The folder in which <c>hack/test.sh</c> keeps the audit logs of a run, for tools/Rbac to judge.</summary>
public static class KeptAuditLogs
{
    /// <summary>The folder; null where none are kept.</summary>
    public static string? Folder => Environment.GetEnvironmentVariable("INDEXOPERATOR_AUDIT_LOGS") is { Length: > 0 } folder ? folder : null;

    /// <summary>Notes that what a service account was denied in some time proves nothing (tools/Rbac/Withdrawal.cs reads it).</summary>
    /// <param name="log">Name of the log that it is about.</param>
    /// <param name="ns">The account's namespace.</param>
    /// <param name="account">The account's name.</param>
    /// <param name="from">From when on.</param>
    /// <param name="to">Until when.</param>
    public static async Task NoteWithdrawalAsync(string log, string ns, string account, DateTimeOffset from, DateTimeOffset to)
    {
        if (Folder is { } folder)
        {
            Directory.CreateDirectory(folder);
            await File.AppendAllLinesAsync(Path.Combine(folder, $"{log}.withdrawn"), [$"system:serviceaccount:{ns}:{account} {from:O} {to:O}"]);
        }
    }
}
