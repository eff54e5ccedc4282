using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Journal.V1;

namespace Sloring.Hosting;

/// <summary>Serves the journals of the services in this process: to heal from, to search and to verify.</summary>
public sealed class JournalRpcs(IEnumerable<IServiceJournal> journals, PatientKeys patients, Sealer sealer, CheckpointSigner signer) : JournalService.JournalServiceBase
{
    private const int DefaultLimit = 500;
    private const int LargestLimit = 5_000;
    private const int LongestPurpose = 1_000;
    private const int MostCheckpoints = 10_000;
    private const int CheckpointPage = 1_000;
    private static readonly string Checkpointed = EventNames.Of<JournalCheckpointed>();

    /// <summary>Characters of data in a page; one sealed text is at most some 22,000.</summary>
    private const int LargestPage = 1_000_000;
    private readonly Dictionary<string, IServiceJournal> _journals = journals.ToDictionary(journal => journal.Service);

    /// <summary>The services whose journals are here.</summary>
    public IReadOnlyCollection<string> Services => _journals.Keys;

    [Authorize(Operations.ReadJournal)]
    public override async Task<ReadJournalResponse> ReadJournal(ReadJournalRequest request, ServerCallContext context)
    {
        var journal = Of(request.Service);
        var limit = request.Limit <= 0 ? DefaultLimit : Math.Min(request.Limit, LargestLimit);
        await journal.Prepare(context.CancellationToken);
        // The head is read first: everything asked for up to it is in the query that follows.
        var head = journal.Tail.Head;
        var types = request.Types_.ToHashSet();
        var inMemory = journal.Tail.After(request.AfterPosition, int.MaxValue);
        var found = inMemory is not null
            ? inMemory.Where(e => e.Position <= head && (types.Count == 0 || types.Contains(e.Type))).Take(limit).ToList()
            : await journal.Query(
                all => all.Where(e => e.Position > request.AfterPosition && e.Position <= head && (types.Count == 0 || types.Contains(e.Type)))
                    .OrderBy(e => e.Position).Take(limit),
                context.CancellationToken);
        // A page ends early where it grows large: it must fit a message whatever people have written.
        var (characters, fitting) = (0, 0);
        while (fitting < found.Count && (fitting == 0 || characters + found[fitting].Data.Length <= LargestPage))
            characters += found[fitting++].Data.Length;
        var whole = fitting == found.Count && found.Count < limit;
        found = found.GetRange(0, fitting);
        // Looked at after the entries were: what was erased before them shows here.
        var erasedTo = inMemory is null ? (await First(journal, context.CancellationToken))?.Position - 1 ?? 0 : 0;
        return new ReadJournalResponse
        {
            Events = { found.Select(ToEvent) },
            ReadTo = !whole ? found[^1].Position : Math.Max(head, request.AfterPosition),
            Head = head,
            ErasedTo = erasedTo > request.AfterPosition ? erasedTo : 0,
            Restoring = await journal.Restoring(context.CancellationToken),
        };
    }

    [Authorize(Operations.SearchJournal)]
    public override Task<SearchJournalResponse> SearchJournal(SearchJournalRequest request, ServerCallContext context) =>
        Search(request, context.Caller(), context.CancellationToken);

    /// <summary>Searches a journal for an auditor, and leaves an audit entry of its own first (rule O3).</summary>
    public async Task<SearchJournalResponse> Search(SearchJournalRequest request, Caller caller, CancellationToken cancel)
    {
        var journal = Of(request.Service);
        var (size, after) = Paging.Of(request.PageSize, request.PageToken);
        var before = after is null ? long.MaxValue : long.TryParse(after, out var position) ? position : throw new RejectedException(Rejections.PageInvalid.For("page_token"));
        var purpose = Texts.Optional(request.Purpose, "purpose", LongestPurpose);
        var patient = request.PatientCpr.Length == 0 ? null : patients.Of(CprNumber.Parse(request.PatientCpr)).ToString();
        var (from, to) = (request.From.Instant("from"), request.To.Instant("to"));
        await journal.Append(caller.Actor, new JournalSearched
        {
            PatientKey = patient,
            TypePrefix = request.TypePrefix.Length == 0 ? null : Texts.PersonId(request.TypePrefix, Rejections.IdInvalid, "type_prefix"),
            Actor = request.Actor.Length == 0 ? null : Texts.PersonId(request.Actor, Rejections.IdInvalid, "actor"),
            SealedPurpose = purpose.Length == 0 ? null : sealer.Seal(purpose, SealedFor.Purpose),
            Client = caller.ClientId,
            From = caller.From,
        }, cancel);
        var found = await journal.Query(all =>
        {
            var query = all.Where(e => e.Position < before);
            if (patient is not null)
                query = query.Where(e => e.PatientKey == patient);
            if (request.Actor.Length > 0)
                query = query.Where(e => e.Actor == request.Actor);
            if (request.TypePrefix.Length > 0)
                query = query.Where(e => e.Type.StartsWith(request.TypePrefix));
            if (from is not null)
                query = query.Where(e => e.OccurredAt >= from);
            if (to is not null)
                query = query.Where(e => e.OccurredAt < to);
            return query.OrderByDescending(e => e.Position).Take(size + 1);
        }, cancel);
        return new SearchJournalResponse
        {
            Events = { found.Take(size).Select(ToEvent) },
            NextPageToken = found.Count > size ? Paging.Token(found[size - 1].Position.ToString(System.Globalization.CultureInfo.InvariantCulture)) : "",
            KeptFrom = (await First(journal, cancel))?.OccurredAt.ToTimestamp(),
        };
    }

    [Authorize(Operations.VerifyJournal)]
    public override Task<VerifyJournalResponse> VerifyJournal(VerifyJournalRequest request, ServerCallContext context) => Verify(request, context.CancellationToken);

    /// <summary>Recomputes a journal's chain and compares it with its own checkpoints and the given ones.</summary>
    public async Task<VerifyJournalResponse> Verify(VerifyJournalRequest request, CancellationToken cancel)
    {
        if (request.Checkpoints.Count > MostCheckpoints)
            throw new RejectedException(Rejections.TooLarge.For("checkpoints"));
        var journal = Of(request.Service);
        while (true)
        {
            var first = (await First(journal, cancel))?.Position;
            var answer = await Verify(journal, request.Checkpoints, cancel);
            // What was erased after the chain was read, and before a checkpoint was compared with it, was neither cut off nor taken out.
            if (answer.Intact || (await First(journal, cancel))?.Position == first)
                return answer;
        }
    }

    private async Task<VerifyJournalResponse> Verify(IServiceJournal journal, IReadOnlyList<string> checkpoints, CancellationToken cancel)
    {
        var verdict = await journal.Verify(cancel);
        var answer = new VerifyJournalResponse { Intact = true, Entries = verdict.Entries, HeadHash = verdict.HeadHash, ErasedTo = verdict.ErasedTo };
        foreach (var position in verdict.Bad)
            Find(answer, verdict.Fault, position);
        // Where it begins is not known: nothing can be compared.
        if (verdict.Fault == JournalFault.StartForged)
            return answer;
        // The kept ones first: those in the journal are whoever's who wrote it anew.
        foreach (var page in checkpoints.Chunk(CheckpointPage))
            await Compare(journal, verdict, [.. page.Select(signed => (signer.Open(signed), 0L))], answer, cancel);
        var after = 0L;
        for (var own = await Checkpoints(journal, after, cancel); own.Count > 0; own = await Checkpoints(journal, after, cancel))
        {
            var last = await Compare(journal, verdict, own.ConvertAll(entry => (CheckpointRules.Stated(entry, journal.Service, signer), entry.Position)), answer, cancel);
            answer.LastCheckpoint = last?.At.ToTimestamp() ?? answer.LastCheckpoint;
            after = own[^1].Position;
        }
        return answer;
    }

    /// <summary>Compares a page of checkpoints with a journal, and gives the last that holds; of each, where it stands: 0 for one that was kept outside.</summary>
    private static async Task<JournalState?> Compare(
        IServiceJournal journal, JournalVerdict verdict, IReadOnlyList<(JournalState? Checkpoint, long At)> page, VerifyJournalResponse answer, CancellationToken cancel)
    {
        var positions = page.Select(one => one.Checkpoint?.Position ?? 0).ToList();
        var entries = await journal.Query(all => all.Where(e => positions.Contains(e.Position)), cancel);
        var hashes = entries.ToDictionary(e => e.Position, e => Convert.ToHexStringLower(e.Hash));
        hashes[verdict.ErasedTo] = verdict.StartHash;
        JournalState? last = null;
        foreach (var (checkpoint, at) in page)
        {
            var fault = CheckpointRules.Fault(checkpoint, journal.Service, verdict.ErasedTo, verdict.End, hashes.GetValueOrDefault(checkpoint?.Position ?? 0));
            if (fault == JournalFault.Unspecified && checkpoint!.Position < verdict.ErasedTo)
                answer.ErasedCheckpoints++;
            else
                answer.Checkpoints++;
            if (fault == JournalFault.Unspecified)
                last = checkpoint;
            else
                Find(answer, fault, fault == JournalFault.Truncated ? verdict.End + 1 : checkpoint?.Position ?? at);
        }
        return last;
    }

    /// <summary>Notes what is wrong, once.</summary>
    private static void Find(VerifyJournalResponse answer, JournalFault fault, long position)
    {
        if (answer.Intact)
            (answer.Intact, answer.Fault, answer.FirstBadPosition) = (false, fault, position);
        var finding = new JournalFinding { Fault = fault, Position = position };
        if (answer.Findings.Count < JournalVerdict.MostFindings && !answer.Findings.Contains(finding))
            answer.Findings.Add(finding);
    }

    [Authorize(Operations.ListCheckpoints)]
    public override Task<ListCheckpointsResponse> ListCheckpoints(ListCheckpointsRequest request, ServerCallContext context) =>
        ListCheckpoints(request, context.CancellationToken);

    /// <summary>The checkpoints of a journal, for who keeps them outside: by where they stand, whatever they say of themselves, so that asking on comes to an end.</summary>
    public async Task<ListCheckpointsResponse> ListCheckpoints(ListCheckpointsRequest request, CancellationToken cancel)
    {
        // A checkpoint stands right after the position that it names.
        var entries = await Checkpoints(Of(request.Service), Math.Min(request.AfterPosition, long.MaxValue - 1) + 1, cancel);
        return new ListCheckpointsResponse
        {
            Checkpoints =
            {
                entries.Select(entry => (entry, Said: CheckpointRules.Said(entry))).Select(one => new Checkpoint
                {
                    Position = one.entry.Position - 1, Hash = one.Said?.Hash ?? "", At = one.entry.OccurredAt.ToTimestamp(), Signed = one.Said?.Signed ?? "",
                }),
            },
        };
    }

    private static Task<List<JournalEntry>> Checkpoints(IServiceJournal journal, long after, CancellationToken cancel) =>
        journal.Query(all => all.Where(e => e.Type == Checkpointed && e.Position > after).OrderBy(e => e.Position).Take(CheckpointPage), cancel);

    private static async Task<JournalEntry?> First(IServiceJournal journal, CancellationToken cancel) =>
        (await journal.Query(all => all.OrderBy(e => e.Position).Take(1), cancel)).SingleOrDefault();

    private IServiceJournal Of(string service) =>
        _journals.TryGetValue(service, out var journal) ? journal : throw new RejectedException(Rejections.CodeUnknown.For("service"));

    private static JournalEvent ToEvent(JournalEntry entry) => new()
    {
        Position = entry.Position,
        EventId = entry.EventId.ToString(),
        Type = entry.Type,
        Subject = entry.Subject,
        PatientKey = entry.PatientKey,
        OccurredAt = entry.OccurredAt.ToTimestamp(),
        Actor = entry.Actor,
        Data = entry.Data,
        Traceparent = entry.TraceParent,
    };
}
