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
public sealed record FeedScope(CvrNumber? Cvr, byte[] Secret);

/// <summary>A snapshot of what is masked, at one journal position.</summary>
public sealed record FeedSnapshot(long Position, IReadOnlyList<MaskingChange> Maskings, IReadOnlyList<UnitChange> Units);

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
    /// Names the journal (another once it was put back from a backup), the scope, the key and what masked units cover: positions, patient keys and SOR ids of another feed mean nothing
    /// in this one. A changed organisation register or setting (rule D4) thus reaches watchers as a new snapshot.
    /// </summary>
    public async Task<string> IdOf(FeedScope scope, CancellationToken cancel)
    {
        var (journal, inForce) = await store.Read(async db => (await db.PositionsId(cancel), await InForce(db, scope).ToListAsync(cancel)), cancel);
        var covered = inForce.SelectMany(unit => units.Covers(unit.UnitSorId).Append(units.ShakPrefix(unit.UnitSorId, unit.Shak)));
        var named = $"feed:{scope.Cvr}:{string.Join(',', covered.Order(StringComparer.Ordinal))}";
        byte[] identity = Encoding.UTF8.GetBytes(journal + named);
        return Convert.ToHexStringLower(HMACSHA256.HashData(scope.Secret, identity))[..32];
    }

    /// <summary>Everything in force, consistent at one position.</summary>
    public async Task<FeedSnapshot> Snapshot(FeedScope scope, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var (position, maskings, inForce) = await store.Read(async db =>
        {
            var head = await db.Journal.MaxAsync(e => e.Position, cancel);
            var rows = db.Maskings.Where(m => m.State == MaskingState.InForce && m.EndsAt > now);
            var read = scope.Cvr is { } cvr
                ? rows.Where(m => m.Cvr == cvr).Select(m => new Row(m.Patient, m.Cvr, m.EndsAt, m.SealedCpr))
                : rows.Select(m => new Row(m.Patient, m.Cvr, m.EndsAt, null));
            return (head, await read.ToListAsync(cancel), await InForce(db, scope).ToListAsync(cancel));
        }, cancel);
        return new FeedSnapshot(
            position,
            maskings.ConvertAll(
                row => Change(row.SealedCpr is null ? row.Patient : KeyOf(row.SealedCpr, scope), row.Cvr, row.EndsAt)),
            inForce.ConvertAll(unit => Change(unit.UnitMaskingId.ToString("D"), unit.Cvr, unit.UnitSorId, unit.Shak, removed: false)));
    }

    /// <summary>The first position after which all changes can still be told: since then nothing that they take has been erased.</summary>
    public Task<long> WholeFrom(CancellationToken cancel) => store.Read(db => db.WholeFrom(cancel), cancel);

    /// <summary>The next changes after a position; their position is the one after which to read on, and they may be empty.</summary>
    /// <exception cref="RejectedException">SLR-909: something of it has been erased meanwhile; who comes again gets a new snapshot.</exception>
    public async Task<Changes> After(long position, FeedScope scope, CancellationToken cancel)
    {
        var changes = new Changes { Position = position };
        var entries = await store.ReadAfter(position, PageSize, cancel);
        if (entries.Count > 0 && entries[0].Position != position + 1)
            throw new RejectedException(Rejections.Busy);
        foreach (var read in entries.Select(entry => _read.GetValue(entry, Read)).Where(read => scope.Cvr is null || read.Cvr == scope.Cvr))
        {
            if (read.Unit is not null)
                changes.Units.Add(read.Unit);
            else if (read.Masking is not null)
                changes.Maskings.Add(scope.Cvr is null ? read.Masking : await UnderKeyOf(scope, read, cancel));
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

    private static IQueryable<DepartmentMasking> InForce(RegistrationDb db, FeedScope scope) =>
        db.Units.Where(u => u.State == UnitState.InForce && (scope.Cvr == null || u.Cvr == scope.Cvr));

    private PatientKey KeyOf(string sealedCpr, FeedScope scope) =>
        PatientKey.Compute(scope.Secret, CprNumber.Parse(sealer.Open(sealedCpr, SealedFor.Cpr)));

    private FeedEntry Read(JournalEntry entry)
    {
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

    private sealed record Row(PatientKey Patient, CvrNumber Cvr, DateTimeOffset EndsAt, string? SealedCpr);

    private sealed class FeedEntry
    {
        public static readonly FeedEntry Nothing = new();

        public CvrNumber? Cvr { get; init; }

        public MaskingChange? Masking { get; init; }

        public UnitChange? Unit { get; init; }

        public Guid MaskingId { get; init; }

        public string? SealedCpr { get; init; }
    }
}
