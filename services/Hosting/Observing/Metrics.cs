namespace Sloring.Hosting;

/// <summary>A metric of the platform's own.</summary>
/// <param name="Name">Its name in OpenTelemetry.</param>
/// <param name="Unit">As UCUM writes it; in braces what is counted.</param>
/// <param name="IsCounter">It only grows, per process; else it tells how something stands now.</param>
/// <param name="Meaning">What it says.</param>
public sealed record Metric(string Name, string Unit, bool IsCounter, string Meaning);

/// <summary>All metrics of the platform's own. docs/operations.md explains them, deploy/monitoring watches them; a test compares the names.</summary>
public static class Metrics
{
    public static readonly Metric JournalEntries = Counts("sloring.journal.entries", "{entry}", "Entries appended, by service and type: activations, decisions, reads and all else that happens");
    public static readonly Metric Rejections = Counts("sloring.rejections", "{rejection}", "Numbered refusals, by code and wire (grpc, http, soap, amqp)");
    public static readonly Metric EntriesSeen = Counts("sloring.masking.entries", "{entry}", "Entries that were looked at for masking");
    public static readonly Metric EntriesMasked = Counts("sloring.masking.masked", "{entry}", "Entries of them that left with somebody masked");
    public static readonly Metric TokensIssued = Counts("sloring.tokens.issued", "{token}", "Answers with a token, by client");
    public static readonly Metric TokensRefused = Counts("sloring.tokens.refused", "{rejection}", "Token requests refused, by code");

    public static readonly Metric JournalHead = Tells("sloring.journal.head", "{entry}", "Position of the last entry that this process knows, by service");
    public static readonly Metric LastEntryTime = Tells("sloring.journal.last_entry.time", "s", "When the last entry was appended, seconds since 1970, by service");
    public static readonly Metric RelayLagEntries = Tells("sloring.relay.lag.entries", "{entry}", "Entries not handed on yet, by service and cursor (bus, edge)");
    public static readonly Metric RelayLag = Tells("sloring.relay.lag", "s", "Age of the oldest entry not handed on yet, by service and cursor");
    public static readonly Metric SealingKeyAge = Tells("sloring.sealing_key.age", "s", "Since when a service's rows lie under the current sealing key, by service");
    public static readonly Metric ClockSkew = Tells("sloring.clock.skew", "s", "How far this machine's clock is ahead of the database's");
    public static readonly Metric CertificateRemaining = Tells("sloring.certificate.remaining", "d", "Days until a configured certificate expires, by setting");
    public static readonly Metric EdgeErrors = Tells("sloring.edge.errors", "{message}", "Messages in an error queue of the edge, by queue");
    public static readonly Metric Staleness = Tells("sloring.effectuation.staleness", "s", "Time since this replica's picture was last known to be whole (rule E7)");
    public static readonly Metric PicturePosition = Tells("sloring.effectuation.position", "{entry}", "Position of registration's journal that this replica's picture has come to");
    public static readonly Metric Maskings = Tells("sloring.effectuation.maskings", "{masking}", "Maskings in this replica's picture");
    public static readonly Metric OpenCases = Tells("sloring.approval.open", "{case}", "Cases that wait for a decision");
    public static readonly Metric OverdueCases = Tells("sloring.approval.overdue", "{case}", "Cases of them past their working days (rule A3)");
    public static readonly Metric PendingDeadlines = Tells("sloring.scheduler.pending", "{deadline}", "Deadlines to come");
    public static readonly Metric SchedulerLag = Tells("sloring.scheduler.lag", "s", "How long the oldest due deadline has waited");
    public static readonly Metric SaltAge = Tells("sloring.salt.age", "s", "Age of the salt in use (rule E3)");
    public static readonly Metric SigningKeyAge = Tells("sloring.signing_key.age", "s", "Since when the current key signs tokens");

    /// <summary>Each of them.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        .. typeof(Metrics).GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static).Select(field => field.GetValue(null)).OfType<Metric>(),
    ];

    private static Metric Counts(string name, string unit, string meaning) => new(name, unit, IsCounter: true, meaning);

    private static Metric Tells(string name, string unit, string meaning) => new(name, unit, IsCounter: false, meaning);
}
