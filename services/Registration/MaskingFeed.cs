using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>What one watcher may see, and under which key (rule E8).</summary>
/// <param name="Cvr">Only this organisation; null for all.</param>
/// <param name="Secret">Key of the patient keys; of its own for each outside client.</param>
public sealed record FeedScope(CvrNumber? Cvr, byte[] Secret)
{
    /// <summary>The organisation whose maskings are told: the watcher's own, or the one that has replaced it; null for all.</summary>
    public CvrNumber? OrganisationIn(Replacements replaced) => Cvr is { } own ? replaced.OrganisationOf(own) : null;
}

/// <summary>A feed: of one scope, and of one state of which organisations have replaced others.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Replaced">Who has replaced whom, for as long as the feed has this id.</param>
public sealed record FeedId(string Id, Replacements Replaced);

/// <summary>A snapshot of what is masked, at one journal position.</summary>
public sealed record FeedSnapshot(long Position, IReadOnlyList<MaskingChange> Maskings, IReadOnlyList<UnitChange> Units, Replacements Replaced);

/// <summary>The picture of what is masked, and its changes, as the journal tells them. Each entry is read once for all watchers.</summary>
public sealed class MaskingFeed(
    Store<RegistrationDb> store, PatientKeys patients, Sealer sealer, DepartmentMaskings units, TimeProvider clock)
{
    private const int PageSize = 1_000;

    /// <summary>What a journal entry changes, parsed once while the journal's tail holds the entry.</summary>
    private readonly ConditionalWeakTable<JournalEntry, FeedEntry> _read = [];

    public FeedScope ScopeOf(Caller caller) => caller.Is(Roles.Service)
        ? new FeedScope(null, patients.PlatformFeedSecret)
        : new FeedScope(caller.RequireCvr(), patients.FeedSecret(caller.ClientId));

    /// <summary>
    /// Names the journal (another once it was put back from a backup), the scope, the key, what masked units cover and who has replaced whom: positions, patient keys and SOR ids of another
    /// feed mean nothing in this one. A changed organisation register or setting (rule D4) and a takeover (decision 37) thus reach watchers as a new snapshot.
    /// </summary>
    public async Task<FeedId> IdOf(FeedScope scope, CancellationToken cancel)
    {
        var (journal, replaced, inForce) = await store.Read(async db =>
        {
            var replaced = await db.Replacements(cancel);
            return (await db.PositionsId(cancel), replaced, await InForce(db, scope.OrganisationIn(replaced)).ToListAsync(cancel));
        }, cancel);
        var covered = inForce.SelectMany(unit => units.Covers(unit.UnitSorId).Append(units.ShakPrefix(unit.UnitSorId, unit.Shak)));
        var replacing = replaced.By.Select(pair => $"{pair.Key}>{pair.Value}");
        var named = $"feed:{scope.Cvr}:{string.Join(',', covered.Concat(replacing).Order(StringComparer.Ordinal))}";
        byte[] identity = Encoding.UTF8.GetBytes(journal + named);
        return new FeedId(Convert.ToHexStringLower(HMACSHA256.HashData(scope.Secret, identity))[..32], replaced);
    }

    /// <summary>Everything in force, consistent at one position.</summary>
    public async Task<FeedSnapshot> Snapshot(FeedScope scope, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var (position, replaced, maskings, inForce) = await store.Read(async db =>
        {
            var head = await db.Journal.MaxAsync(e => e.Position, cancel);
            var replaced = await db.Replacements(cancel);
            var rows = db.Maskings.Where(m => m.State == MaskingState.InForce && m.EndsAt > now);
            var organisation = scope.OrganisationIn(replaced);
            var read = organisation is { } cvr
                ? rows.Where(m => m.Cvr == cvr).Select(m => new Row(m.Patient, m.Cvr, m.EndsAt, m.SealedCpr))
                : rows.Select(m => new Row(m.Patient, m.Cvr, m.EndsAt, null));
            return (head, replaced, await read.ToListAsync(cancel), await InForce(db, organisation).ToListAsync(cancel));
        }, cancel);
        return new FeedSnapshot(
            position,
            [.. maskings.SelectMany(row => Covering(Change(row.SealedCpr is null ? row.Patient : KeyOf(row.SealedCpr, scope), row.Cvr, row.EndsAt), replaced))],
            [.. inForce.SelectMany(unit => Covering(Change(unit.UnitMaskingId.ToString("D"), unit.Cvr, unit.UnitSorId, unit.Shak, removed: false), replaced))],
            replaced);
    }

    /// <summary>The first position after which all changes can still be told: since then nothing that they take has been erased.</summary>
    public Task<long> WholeFrom(CancellationToken cancel) => store.Read(db => db.WholeFrom(cancel), cancel);

    /// <summary>The next changes after a position; their position is the one after which to read on, and they may be empty.</summary>
    /// <exception cref="RejectedException">SLR-909: something of it has been erased meanwhile, or an organisation replaced; who comes again gets a new snapshot.</exception>
    public async Task<Changes> After(long position, FeedScope scope, Replacements replaced, CancellationToken cancel)
    {
        var organisation = scope.OrganisationIn(replaced);
        var changes = new Changes { Position = position };
        var entries = await store.ReadAfter(position, PageSize, cancel);
        var reads = entries.Select(entry => _read.GetValue(entry, Read)).ToList();
        if ((entries.Count > 0 && entries[0].Position != position + 1) || reads.Contains(FeedEntry.Takeover))
            throw new RejectedException(Rejections.Busy);
        foreach (var read in reads.Where(read => organisation is null || read.Cvr == organisation))
        {
            if (read.Unit is not null)
                changes.Units.AddRange(Covering(read.Unit, replaced));
            else if (read.Masking is not null)
                changes.Maskings.AddRange(Covering(organisation is null ? read.Masking : await UnderKeyOf(scope, read, cancel), replaced));
        }
        if (entries.Count > 0)
            changes.Position = entries[^1].Position;
        return changes;
    }

    /// <summary>The change under an outside client's key. Only activations carry the sealed CPR number; the others look it up.</summary>
    private async Task<MaskingChange> UnderKeyOf(FeedScope scope, FeedEntry read, CancellationToken cancel)
    {
        var sealedCpr = read.SealedCpr
            ?? await store.Read(db => db.Maskings.Where(m => m.MaskingId == read.MaskingId).Select(m => m.SealedCpr).SingleOrDefaultAsync(cancel), cancel)
            ?? throw new RejectedException(Rejections.Busy);
        var key = KeyOf(sealedCpr, scope);
        return new MaskingChange { PatientHigh = key.High, PatientLow = key.Low, Cvr = read.Masking!.Cvr, EndsAtMs = read.Masking.EndsAtMs };
    }

    private static IQueryable<DepartmentMasking> InForce(RegistrationDb db, CvrNumber? organisation) =>
        db.Units.Where(u => u.State == UnitState.InForce && (organisation == null || u.Cvr == organisation));

    /// <summary>What is masked for an organisation is masked for each that it has replaced: their entries keep their CVR number.</summary>
    private static IEnumerable<MaskingChange> Covering(MaskingChange change, Replacements replaced)
    {
        yield return change;
        foreach (var cvr in replaced.ReplacedBy(new CvrNumber(change.Cvr)))
            yield return new MaskingChange(change) { Cvr = cvr.Value };
    }

    /// <inheritdoc cref="Covering(MaskingChange, Replacements)"/>
    private static IEnumerable<UnitChange> Covering(UnitChange change, Replacements replaced)
    {
        yield return change;
        foreach (var cvr in replaced.ReplacedBy(new CvrNumber(change.Cvr)))
            yield return new UnitChange(change) { Cvr = cvr.Value, UnitMaskingId = $"{change.UnitMaskingId}/{cvr}" };
    }

    private PatientKey KeyOf(string sealedCpr, FeedScope scope) =>
        PatientKey.Compute(scope.Secret, CprNumber.Parse(sealer.Open(sealedCpr, SealedFor.Cpr)));

    /// <summary>Who has replaced whom, as far as it concerns a scope.</summary>
    public static IEnumerable<ReplacedOrganisation> Told(Replacements replaced, FeedScope scope)
    {
        var organisation = scope.OrganisationIn(replaced);
        return replaced.By.Where(pair => organisation is null || pair.Value == organisation).OrderBy(pair => pair.Key.Value)
            .Select(pair => new ReplacedOrganisation { Cvr = pair.Key.Value, ByCvr = pair.Value.Value });
    }

    private FeedEntry Read(JournalEntry entry)
    {
        if (entry.Type == Replaced)
            return FeedEntry.Takeover;
        if (entry.Type != Activated && entry.Type != Ended && entry.Type != Renewed && entry.Type != Shortened && entry.Type != UnitStepped)
            return FeedEntry.Nothing;
        return EventJson.Read(entry.Type, entry.Data) switch
        {
            RegistrationActivated e => Of(entry, e.MaskingId, e.PatientKey, e.Cvr, e.EndsAt, e.SealedCpr),
            RegistrationRenewed e => Of(entry, e.MaskingId, e.PatientKey, e.Cvr, e.EndsAt, null),
            RegistrationShortened e => Of(entry, e.MaskingId, e.PatientKey, e.Cvr, e.EndsAt, null),
            RegistrationEnded e => Of(entry, e.MaskingId, e.PatientKey, e.Cvr, null, null),
            UnitChanged e when e.State == UnitRules.StateWords[UnitState.InForce] => Of(e, removed: false),
            UnitChanged e when e.State == UnitRules.StateWords[UnitState.Removed] => Of(e, removed: true),
            _ => FeedEntry.Nothing,
        };
    }

    private static FeedEntry Of(JournalEntry entry, string maskingId, string patient, string cvr, DateTimeOffset? endsAt, string? sealedCpr)
    {
        var masking = Change(PatientKey.Parse(patient), CvrNumber.Parse(cvr), endsAt);
        masking.Traceparent = entry.TraceParent;
        return new FeedEntry { Cvr = CvrNumber.Parse(cvr), Masking = masking, MaskingId = Guid.Parse(maskingId), SealedCpr = sealedCpr };
    }

    private FeedEntry Of(UnitChanged e, bool removed) => new()
    {
        Cvr = CvrNumber.Parse(e.Cvr),
        Unit = Change(e.UnitMaskingId, CvrNumber.Parse(e.Cvr), units.RegisterIdOf(e.SorId, e.Shak), e.Shak, removed),
    };

    private static MaskingChange Change(PatientKey key, CvrNumber cvr, DateTimeOffset? endsAt) =>
        new() { PatientHigh = key.High, PatientLow = key.Low, Cvr = cvr.Value, EndsAtMs = endsAt?.ToUnixTimeMilliseconds() ?? 0 };

    private UnitChange Change(string id, CvrNumber cvr, string? sorId, string? shak, bool removed) => new()
    {
        UnitMaskingId = id,
        Cvr = cvr.Value,
        SorIds = { sorId is null ? [] : units.Covers(sorId) },
        ShakPrefix = units.ShakPrefix(sorId, shak),
        Removed = removed,
    };

    private static readonly string Activated = EventNames.Of<RegistrationActivated>();
    private static readonly string Renewed = EventNames.Of<RegistrationRenewed>();
    private static readonly string Shortened = EventNames.Of<RegistrationShortened>();
    private static readonly string Ended = EventNames.Of<RegistrationEnded>();
    private static readonly string UnitStepped = EventNames.Of<UnitChanged>();
    private static readonly string Replaced = EventNames.Of<OrganisationReplaced>();

    private sealed record Row(PatientKey Patient, CvrNumber Cvr, DateTimeOffset EndsAt, string? SealedCpr);

    private sealed class FeedEntry
    {
        public static readonly FeedEntry Nothing = new();

        /// <summary>What a watcher holds covers more from here: it gets a new snapshot.</summary>
        public static readonly FeedEntry Takeover = new();

        public CvrNumber? Cvr { get; init; }

        public MaskingChange? Masking { get; init; }

        public UnitChange? Unit { get; init; }

        public Guid MaskingId { get; init; }

        public string? SealedCpr { get; init; }
    }
}
