using System.Text.Json;

namespace IndexOperator.Api;

/// <summary>
/// What a build or a check says when it ends: one JSON object in the container's termination message, at most <see cref="MaxBytes"/> bytes
/// (Kubernetes cuts longer ones). Written by the builder, read by the operator; hostile until <see cref="TryParse"/> has read it.
/// </summary>
public sealed record BuildReport
{
    /// <summary>The longest termination message that Kubernetes keeps of a container.</summary>
    public const int MaxBytes = 4096;

    /// <summary><see cref="Outcome"/>: the version was built and published.</summary>
    public const string Built = "Built";

    /// <summary><see cref="Outcome"/>: the version was there already and passed verification.</summary>
    public const string Reused = "Reused";

    /// <summary><see cref="Outcome"/>: nothing was published.</summary>
    public const string Failed = "Failed";

    /// <summary><see cref="Outcome"/>: not the end. Written before the work, it stands when the process is killed.</summary>
    public const string Begun = "Begun";

    /// <summary><see cref="Outcome"/>: nothing was built; a published version and its data were looked at.</summary>
    public const string Checked = "Checked";

    /// <summary><see cref="Outcome"/>: nothing was built; a published version was copied to a RAM disk.</summary>
    public const string Staged = "Staged";

    /// <summary><see cref="Data"/>: the data is what the version was built from.</summary>
    public const string Unchanged = "Unchanged";

    /// <summary><see cref="Data"/>: the data is not what the version was built from.</summary>
    public const string Changed = "Changed";

    /// <summary><see cref="Data"/>: somebody is writing to the data.</summary>
    public const string BeingWritten = "BeingWritten";

    /// <summary><see cref="Integrity"/>: every file is there with its size.</summary>
    public const string Complete = "Complete";

    /// <summary><see cref="Integrity"/>: every file has its checksum.</summary>
    public const string Verified = "Verified";

    /// <summary><see cref="Integrity"/>: the version is not there, or not as it was published; the message says how.</summary>
    public const string Damaged = "Damaged";

    /// <summary><see cref="Begun"/>, <see cref="Built"/>, <see cref="Reused"/>, <see cref="Checked"/>, <see cref="Staged"/> or <see cref="Failed"/>.</summary>
    public string? Outcome { get; init; }

    /// <summary>With Failed: one of <see cref="Reasons"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>With Failed or Damaged: what happened, to what, and what to do. With Changed: what differs.</summary>
    public string? Message { get; init; }

    /// <summary>The version; 20 hex digits.</summary>
    public string? Version { get; init; }

    /// <summary><c>sha256:</c> and 64 hex digits.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Bytes of all files.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>Number of files.</summary>
    public long? Files { get; init; }

    /// <summary>Sequences over all datasets.</summary>
    public long? Sequences { get; init; }

    /// <summary>Tokens over all datasets.</summary>
    public long? Tokens { get; init; }

    /// <summary>Samples that each split can serve; null where the split has no dataset.</summary>
    public SamplesSpec? Samples { get; init; }

    /// <summary>Seconds from start to published.</summary>
    public double? Seconds { get; init; }

    /// <summary>Peak resident memory of the builder.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>What `plan` expects of the build's peak memory; told before the memory is taken, so that it is known of a build that was killed for it.</summary>
    public long? PredictedMemoryBytes { get; init; }

    /// <summary>Sizes and times of the data when it was read, as 32 hex digits.</summary>
    public string? Stamp { get; init; }

    /// <summary>With Checked: <see cref="Unchanged"/>, <see cref="Changed"/> or <see cref="BeingWritten"/>; null where the version is damaged or the data was not to be looked at.</summary>
    public string? Data { get; init; }

    /// <summary>With Checked: whether the data's content was read, and not only sizes and times.</summary>
    public bool? ContentRead { get; init; }

    /// <summary>With Checked: <see cref="Complete"/>, <see cref="Verified"/> or <see cref="Damaged"/>.</summary>
    public string? Integrity { get; init; }

    /// <summary>With Built: where a corrupt version that was in the way lies now, relative to the cache root; null when there was none.</summary>
    public string? Quarantined { get; init; }

    /// <summary>True when the attempt left nothing in the staging area.</summary>
    public bool? StagingRemoved { get; init; }

    /// <summary>
    /// Reads a termination message. False when it is not a report: too long, no JSON object, an unknown outcome, a version that is no
    /// 20 hex digits, a negative count.
    /// </summary>
    public static bool TryParse(string? text, out BuildReport report)
    {
        report = new BuildReport();
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxBytes)
        {
            return false;
        }

        try
        {
            if (JsonSerializer.Deserialize(text, ApiJsonContext.Default.BuildReport) is not { } parsed || !parsed.IsSound())
            {
                return false;
            }

            report = parsed;
            return true;
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            // No JSON, or, with half of a surrogate pair, no text.
            return false;
        }
    }

    /// <summary>The report as one line of JSON; the message is shortened, as little as needed, so that the whole fits <see cref="MaxBytes"/> bytes.</summary>
    public string ToJson()
    {
        var whole = Written(this);
        if (Message is null || System.Text.Encoding.UTF8.GetByteCount(whole) <= MaxBytes)
        {
            return whole;
        }

        // A character takes 1 to 6 bytes (escapes), so the length that fits is searched for.
        var (fits, most) = (0, Message.Length);
        while (fits < most)
        {
            var middle = (fits + most + 1) / 2;
            if (System.Text.Encoding.UTF8.GetByteCount(Written(this with { Message = Clip(Message, middle) })) <= MaxBytes)
            {
                fits = middle;
            }
            else
            {
                most = middle - 1;
            }
        }

        return Written(this with { Message = Clip(Message, fits) });
    }

    private static string Written(BuildReport report) => JsonSerializer.Serialize(report, ApiJsonContext.Default.BuildReport);

    private static string Clip(string message, int length)
    {
        if (length == 0)
        {
            return "";
        }

        // Half of a surrogate pair is no text.
        var keep = char.IsHighSurrogate(message[length - 1]) ? length - 1 : length;
        return string.Concat(message.AsSpan(0, keep), "…");
    }

    private bool IsSound() =>
        Outcome switch
        {
            Failed => !string.IsNullOrEmpty(Reason) && Reason.Length <= 64 && Reason.All(char.IsAsciiLetter),
            Begun => true,
            Staged => IsHex(Version, 20),
            Built or Reused => IsHex(Version, 20) && IsFingerprint(Fingerprint),
            Checked => IsHex(Version, 20) && Integrity switch
            {
                Damaged => Data is null && Message is not null,
                Complete or Verified => Data switch
                {
                    Unchanged or Changed => IsFingerprint(Fingerprint) && Stamp is not null,
                    BeingWritten or null => true,
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
        && (Stamp is null || IsHex(Stamp, 32))
        && PredictedMemoryBytes is null or >= 0 && SizeBytes is null or >= 0 && Files is null or >= 0 && Sequences is null or >= 0 && Tokens is null or >= 0
        && Seconds is null or >= 0 && PeakMemoryBytes is null or >= 0
        && Samples is null or { Train: null or >= 0, Validation: null or >= 0, Test: null or >= 0 };

    private static bool IsFingerprint(string? text) => text is ['s', 'h', 'a', '2', '5', '6', ':', .. var digits] && IsHex(digits, 64);

    private static bool IsHex(string? text, int length) => text?.Length == length && text.All(char.IsAsciiHexDigitLower);
}

/// <summary>One line of a build's log that tells how far it is: <c>{"progress":{…}}</c>.</summary>
public sealed record BuildProgressLine
{
    /// <summary>Three centuries: no build says more in earnest.</summary>
    private const double MaxEtaSeconds = 1e10;

    /// <summary>The progress; null on lines that say something else.</summary>
    public BuildProgress? Progress { get; init; }

    /// <summary>The newest progress line in the tail of a log; null when there is none. Lines that are no JSON are passed over.</summary>
    /// <param name="logTail">The end of a log, newest line last; hostile.</param>
    public static BuildProgress? FindLast(string? logTail)
    {
        if (string.IsNullOrEmpty(logTail))
        {
            return null;
        }

        var lines = logTail.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var line in lines.Reverse())
        {
            if (!line.StartsWith("{\"progress\"", StringComparison.Ordinal) || line.Length > 1024)
            {
                continue;
            }

            try
            {
                if (JsonSerializer.Deserialize(line, ApiJsonContext.Default.BuildProgressLine)?.Progress is { Phase.Length: <= 64, Percent: >= 0 and <= 100, EtaSeconds: null or (>= 0 and <= MaxEtaSeconds) } found
                    && found.Phase.All(char.IsAsciiLetterOrDigit))
                {
                    return found;
                }
            }
            catch (Exception error) when (error is JsonException or ArgumentException)
            {
                // A torn or foreign line, or no text: the one before it may be whole.
            }
        }

        return null;
    }
}

/// <summary>How far a build is.</summary>
public sealed record BuildProgress
{
    /// <summary>The step, for example <c>SampleIndex</c>.</summary>
    public string Phase { get; set; } = "";

    /// <summary>Units done, of <see cref="Total"/>.</summary>
    public long Completed { get; init; }

    /// <summary>Units in all.</summary>
    public long Total { get; init; }

    /// <summary>0 to 100.</summary>
    public int Percent { get; init; }

    /// <summary>Estimated seconds until done, to a tenth; null when unknown.</summary>
    public double? EtaSeconds { get; init; }
}
