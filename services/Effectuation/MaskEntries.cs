using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>Masks entries at display time (rules E1–E5). No database and no lock on its way: the audit entry is queued (decision 9).</summary>
public sealed class MaskEntries(
    WatchPicture watch, CurrentSalt salt, AuditReads<EffectuationDb> audit, LongCalls longCalls, TimeProvider clock, IOptions<EffectuationOptions> options)
{
    private const int MostEntries = 10_000;
    private const int MostStaff = 50;
    private const int LongestText = 100_000;
    private const int RememberedPatients = 10_000;

    /// <summary>How exactly the audit trail tells when a patient was looked at on a stream. A stream may be open for months, and an entry for each message of a large file would be one for each line.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(15);

    private static readonly Counter<long> Seen = Telemetry.Counter(Metrics.EntriesSeen);
    private static readonly Counter<long> Masked = Telemetry.Counter(Metrics.EntriesMasked);

    private readonly Explanation _explanation = new()
    {
        Da = "Navne på sundhedspersonale er erstattet af en kode med angivelse af faggruppe. Du kan søge aktindsigt i navnene og klage over sløringen.",
        En = "Names of health staff are replaced by a code with their professional group. You may request access to the names and complain about the masking.",
        Link = options.Value.ExplanationLink,
    };

    private readonly ConcurrentDictionary<string, long> _findings = new();

    /// <summary>Findings since start, by source (rule E5).</summary>
    public IReadOnlyDictionary<string, long> FindingsBySource => _findings;

    public async Task<MaskEntriesResponse> Handle(MaskEntriesRequest request, Caller caller, CancellationToken cancel)
    {
        var patient = Check(request);
        await audit.RecordSoon(caller, Operations.MaskEntries, Fresh(request.AfterPosition).Picture.KeyOf(patient), cancel);
        return Mask(request, patient, caller);
    }

    /// <summary>The same for a stream; a patient is audited once in a quarter of an hour, more often where there are very many.</summary>
    public async Task Handle(
        IAsyncStreamReader<MaskEntriesRequest> requests, IServerStreamWriter<MaskEntriesResponse> responses, Caller caller, CancellationToken cancel)
    {
        var (audited, since) = (new HashSet<CprNumber>(), clock.GetUtcNow());
        using var call = longCalls.Stream(caller);
        while (await requests.MoveNext(cancel))
        {
            await call.Take(cancel);
            var patient = Check(requests.Current);
            if (audited.Count >= RememberedPatients || (clock.GetUtcNow() - since).Duration() >= Remembered)
            {
                audited.Clear();
                since = clock.GetUtcNow();
            }
            if (audited.Add(patient))
                await audit.RecordSoon(caller, Operations.MaskEntries, Fresh(requests.Current.AfterPosition).Picture.KeyOf(patient), cancel);
            await responses.WriteAsync(Mask(requests.Current, patient, caller), cancel);
        }
    }

    /// <summary>The same for a patient of an update that came as a message; adds to its answer.</summary>
    public async Task Handle(RawUpdate update, RawPatient patient, RawMaskedUpdate answer, Caller caller, CancellationToken cancel)
    {
        var cpr = Check(update, patient);
        await audit.RecordSoon(caller, Operations.MaskEntries, Fresh(update.AfterPosition).Picture.KeyOf(cpr), cancel);
        Mask(update, patient, answer, cpr, caller);
    }

    private static CprNumber Check(MaskEntriesRequest request)
    {
        if (request.Entries.Count > MostEntries)
            throw new RejectedException(Rejections.TooManyEntries.For("entries"));
        for (var i = 0; i < request.Entries.Count; i++)
            Check(request.Entries[i]);
        return CprNumber.Parse(request.PatientCpr);
    }

    private static void Check(Entry entry)
    {
        if (entry.Staff.Count > MostStaff || entry.Text.Length > LongestText)
            throw new RejectedException(Rejections.EntryTooLarge.For("entries"));
        for (var i = 0; i < entry.Staff.Count; i++)
        {
            if (entry.Staff[i].Name.Length > Texts.LongestName)
                throw new RejectedException(Rejections.EntryTooLarge.For("entries"));
        }
    }

    private static CprNumber Check(RawUpdate update, RawPatient patient)
    {
        foreach (ref readonly var entry in update.EntriesOf(patient))
        {
            // Only what may be too large is read to know it.
            if (entry.Staff > MostStaff || entry.TextAtMost > LongestText || entry.NameAtMost > Texts.LongestName)
                Check(update.Judged(entry));
        }
        return CprNumber.Parse(patient.Cpr);
    }

    /// <summary>
    /// The picture, where it is fresh and knows what the caller has heard of (rules E6, E7). A replica that has just lost its watch may be fresh and behind: a name shown
    /// by it would stay in the copy of a source that fetches anew because of a decision, since nothing more is told.
    /// </summary>
    private FreshPicture Fresh(long afterPosition) =>
        watch.Watcher.Fresh() is var fresh && fresh.Picture.Position >= afterPosition ? fresh : throw new RejectedException(Rejections.PictureNotFresh);

    private MaskEntriesResponse Mask(MaskEntriesRequest request, CprNumber patient, Caller caller)
    {
        var (picture, nowMs) = Fresh(request.AfterPosition);
        var key = picture.KeyOf(patient);
        var pseudonyms = NationalPseudonym.For(patient, salt.Value);
        var own = OwnOf(caller);
        for (var i = 0; i < request.Entries.Count; i++)
            OwnOnly(request.Entries[i].Cvr, own, picture);
        var response = Masker.Mask(request.Entries, picture, key, pseudonyms, nowMs, own);
        Count(response.Findings);
        if (Masked.Enabled)
            Count(request.Entries.Count, Enumerable.Range(0, request.Entries.Count).Count(i => !ReferenceEquals(response.Entries[i], request.Entries[i])));
        if (AnyMasked(response))
            response.Explanation = _explanation;
        return response;
    }

    private void Mask(RawUpdate update, RawPatient patient, RawMaskedUpdate answer, CprNumber cpr, Caller caller)
    {
        var (picture, nowMs) = Fresh(update.AfterPosition);
        var pseudonyms = NationalPseudonym.For(cpr, salt.Value);
        var own = OwnOf(caller);
        foreach (ref readonly var entry in update.EntriesOf(patient))
            OwnOnly(entry.Cvr, own, picture);
        var (findings, isAnyoneMasked, masked) = RawMasker.Mask(update, patient, answer, picture, picture.KeyOf(cpr), pseudonyms, nowMs, own);
        Count(findings);
        Count(update.EntriesOf(patient).Length, masked);
        if (isAnyoneMasked)
            answer.Explanation = _explanation;
    }

    /// <summary>A data source's entries are its own organisation's; null for a caller that shows anybody's.</summary>
    private static CvrNumber? OwnOf(Caller caller) => caller.Is(Roles.DataSource) ? caller.RequireCvr() : null;

    /// <summary>A data source that could send entries of others would learn from the answer what others mask (decision 6).</summary>
    private static void OwnOnly(string entryCvr, CvrNumber? own, MaskingPicture picture)
    {
        if (own is { } known && CvrNumber.TryParse(entryCvr, out var cvr) && !picture.AreSame(cvr, known))
            throw new RejectedException(Rejections.EntryOfOther.For("entries"));
    }

    private static void Count(int seen, int masked)
    {
        Seen.Add(seen);
        Masked.Add(masked);
    }

    private void Count(IReadOnlyList<Finding> findings)
    {
        foreach (var finding in findings)
            _findings.AddOrUpdate(SourceOf(finding), 1, (_, count) => count + 1);
    }

    /// <summary>Counted under one name once there are very many: a caller may not fill memory with invented sources.</summary>
    private string SourceOf(Finding finding) =>
        finding.Source.Length <= Texts.LongestName && (_findings.Count < 1_000 || _findings.ContainsKey(finding.Source)) ? finding.Source : "other";

    private static bool AnyMasked(MaskEntriesResponse response)
    {
        // By index: enumerating a repeated field allocates, twice for every entry.
        for (var i = 0; i < response.Entries.Count; i++)
        {
            var staff = response.Entries[i].Staff;
            for (var j = 0; j < staff.Count; j++)
            {
                if (staff[j].Masked)
                    return true;
            }
        }
        return false;
    }
}
