namespace Sloring.Hosting;

/// <summary>Settings under <c>Retention</c>: years, or days, after which records are erased; 0: never.</summary>
public sealed class RetentionOptions
{
    /// <summary>Beyond it a slip of the pen: the calendar ends.</summary>
    public const int MostYears = 100;

    /// <summary>Maskings, department maskings and approval cases, from their end; of cases the overview's counts stay.</summary>
    public int CaseYears { get; set; } = 5;

    /// <summary>Scheduler's deadlines, from when they fired or, where they were cancelled, were due.</summary>
    public int DeadlineYears { get; set; } = 5;

    /// <summary>Salts, from when the last pseudonym under them may have been shown: the oldest period that an access request reaches.</summary>
    public int SaltYears { get; set; } = 5;

    /// <summary>Entries of every service's journal, from when they were written.</summary>
    public int JournalYears { get; set; } = 5;

    /// <summary>Days for which messages that were refused stay in the error queues of the edge, with all that they hold.</summary>
    public int RefusedDays { get; set; } = 90;
}

/// <summary>A kind of record that is erased on schedule: the table of what is kept for how long.</summary>
/// <param name="Name">Its word in <c>audit.records-erased.v1</c>.</param>
/// <param name="Years">Its retention; 0: it is never erased.</param>
public sealed record RecordKind(string Name, Func<RetentionOptions, int> Years)
{
    public static readonly RecordKind Maskings = new("maskings", retention => retention.CaseYears);
    public static readonly RecordKind Units = new("units", retention => retention.CaseYears);
    public static readonly RecordKind Cases = new("cases", retention => retention.CaseYears);
    public static readonly RecordKind Deadlines = new("deadlines", retention => retention.DeadlineYears);
    public static readonly RecordKind Salts = new("salts", retention => retention.SaltYears);
    public static readonly RecordKind Journal = new("journal", retention => retention.JournalYears);

    /// <summary>What ended before this instant is to be erased; null where nothing is.</summary>
    public DateTimeOffset? Before(RetentionOptions retention, DateTimeOffset now) => Years(retention) is > 0 and var years ? now.AddYears(-years) : null;
}
