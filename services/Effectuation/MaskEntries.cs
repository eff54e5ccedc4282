using System.Collections.Concurrent;
using Google.Protobuf.Collections;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>Masks entries at display time (rules E1–E5). No database and no lock on its way: the audit entry is queued (decision 9).</summary>
public sealed class MaskEntries(
    WatchPicture watch, CurrentSalt salt, AuditReads<EffectuationDb> audit, LongCalls longCalls, IOptions<EffectuationOptions> options)
{
    private const int MostEntries = 10_000;
    private const int MostStaff = 50;
    private const int LongestText = 100_000;
    private const int RememberedPatients = 10_000;

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
        await audit.RecordSoon(caller, Operations.MaskEntries, watch.Watcher.Fresh().Picture.KeyOf(patient), cancel);
        return Mask(request, patient, caller);
    }

    /// <summary>The same for a stream; a patient is audited once for as long as the stream keeps to some thousands of patients.</summary>
    public async Task Handle(
        IAsyncStreamReader<MaskEntriesRequest> requests, IServerStreamWriter<MaskEntriesResponse> responses, Caller caller, CancellationToken cancel)
    {
        var audited = new HashSet<CprNumber>();
        using var call = longCalls.Stream(caller);
        while (await requests.MoveNext(cancel))
        {
            if (call.Why is { } why)
                throw new RejectedException(why);
            var patient = Check(requests.Current);
            if (audited.Count >= RememberedPatients)
                audited.Clear();
            if (audited.Add(patient))
                await audit.RecordSoon(caller, Operations.MaskEntries, watch.Watcher.Fresh().Picture.KeyOf(patient), cancel);
            await responses.WriteAsync(Mask(requests.Current, patient, caller), cancel);
        }
    }

    private static CprNumber Check(MaskEntriesRequest request)
    {
        if (request.Entries.Count > MostEntries)
            throw new RejectedException(Rejections.TooManyEntries.For("entries"));
        for (var i = 0; i < request.Entries.Count; i++)
        {
            var entry = request.Entries[i];
            if (entry.Staff.Count > MostStaff || entry.Text.Length > LongestText)
                throw new RejectedException(Rejections.EntryTooLarge.For("entries"));
            for (var j = 0; j < entry.Staff.Count; j++)
            {
                if (entry.Staff[j].Name.Length > Texts.LongestName)
                    throw new RejectedException(Rejections.EntryTooLarge.For("entries"));
            }
        }
        return CprNumber.Parse(request.PatientCpr);
    }

    private MaskEntriesResponse Mask(MaskEntriesRequest request, CprNumber patient, Caller caller)
    {
        var (picture, nowMs) = watch.Watcher.Fresh();
        var key = picture.KeyOf(patient);
        var pseudonyms = NationalPseudonym.For(patient, salt.Value);
        var response = caller.Is(Roles.DataSource)
            ? Masker.Mask(OwnOnly(request.Entries, caller.RequireCvr()), picture, key, pseudonyms, nowMs, caller.RequireCvr())
            : Masker.Mask(request.Entries, picture, key, pseudonyms, nowMs);
        foreach (var finding in response.Findings)
            _findings.AddOrUpdate(SourceOf(finding), 1, (_, count) => count + 1);
        if (AnyMasked(response))
            response.Explanation = _explanation;
        return response;
    }

    /// <summary>A data source that could send entries of others would learn from the answer what others mask (decision 6).</summary>
    private static RepeatedField<Entry> OwnOnly(RepeatedField<Entry> entries, CvrNumber own)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (CvrNumber.TryParse(entries[i].Cvr, out var cvr) && cvr != own)
                throw new RejectedException(Rejections.EntryOfOther.For("entries"));
        }
        return entries;
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
