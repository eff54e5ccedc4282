using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;
using Sloring.Contracts.Operation.V1;
using RelayLagMessage = Sloring.Contracts.Operation.V1.RelayLag;
using ReplicaMessage = Sloring.Contracts.Operation.V1.Replica;

namespace Sloring.Hosting;

/// <summary>How a service is doing, where its database's type does not matter.</summary>
internal interface IGetServiceStatus
{
    string Service { get; }

    Task<ServiceStatus> Handle(CancellationToken cancel);
}

/// <summary>How a service is doing: its replicas, journal, relays, dead letters and queues. It tells of no patient and of no content.</summary>
internal sealed class GetServiceStatus<TDb>(
    Store<TDb> store, Replicas<TDb> replicas, RelayLags<TDb> relayLags, IEnumerable<RelayOf<TDb>> relays, EdgeQueues edge, TimeProvider clock) : IGetServiceStatus where TDb : ServiceDb
{
    private const int Newest = 20;
    private static readonly TimeSpan LettersOf = TimeSpan.FromDays(30);
    private static readonly string Letter = EventNames.Of<EventDeadLettered>();

    public string Service => store.Service;

    public async Task<ServiceStatus> Handle(CancellationToken cancel)
    {
        var status = await store.Read(async db => new ServiceStatus
        {
            Service = Service,
            Head = await db.Journal.MaxAsync(e => (long?)e.Position, cancel) ?? 0,
            Replicas = { (await replicas.All(db, cancel)).Select(one => Of(one.Replica, one.Silent)) },
            Relays = { (await relayLags.Of(db, cancel)).Select(Of) },
            DeadLetters = await Letters(db, cancel),
        }, cancel);
        if (EdgeQueues.Of(Service).Count > 0 || relays.Any(relay => relay.Id == RelayCursor.ToEdge))
            status.Edge = await edge.State(Service, cancel);
        return status;
    }

    private async Task<DeadLetters> Letters(TDb db, CancellationToken cancel)
    {
        var since = clock.GetUtcNow() - LettersOf;
        var kept = db.Journal.Where(e => e.Type == Letter && e.OccurredAt >= since);
        var letters = new DeadLetters { Count = await kept.LongCountAsync(cancel) };
        foreach (var entry in await kept.OrderByDescending(e => e.Position).Take(Newest).ToListAsync(cancel))
        {
            var letter = (EventDeadLettered)EventJson.Read(entry.Type, entry.Data);
            letters.Newest.Add(new DeadLetter
            {
                At = entry.OccurredAt.ToTimestamp(),
                Publisher = letter.Publisher ?? "",
                Type = letter.Type ?? "",
                Position = letter.Position ?? 0,
                State = await State(db, letter, cancel),
            });
        }
        return letters;
    }

    /// <summary>The inbox knows: by its cursor, or beyond that one by one.</summary>
    private static async Task<DeadLetterState> State(TDb db, EventDeadLettered letter, CancellationToken cancel)
    {
        if (letter.Publisher is not { } publisher || letter.Position is not { } position)
            return DeadLetterState.Unspecified;
        var applied = await db.Cursors.AnyAsync(c => c.Publisher == publisher && c.Position >= position, cancel)
            || await db.Inbox.AnyAsync(e => e.Publisher == publisher && e.Position == position, cancel);
        return applied ? DeadLetterState.Applied : DeadLetterState.Owed;
    }

    private static ReplicaMessage Of(Replica replica, TimeSpan silent) => new()
    {
        Name = replica.Name,
        Version = replica.Version,
        StartedAt = replica.StartedAt.ToTimestamp(),
        SilentSeconds = silent.TotalSeconds,
        Away = silent > Replicas<TDb>.AwayAfter,
        Picture = replica is { Position: { } position, StalenessSeconds: { } staleness, Fresh: { } fresh } ? new Picture { Position = position, StalenessSeconds = staleness, Fresh = fresh } : null,
    };

    private static RelayLagMessage Of(RelayLag lag) => new()
    {
        To = lag.Cursor == RelayCursor.ToEdge ? RelayTarget.Edge : RelayTarget.Bus,
        Entries = lag.Entries,
        OldestSeconds = lag.Oldest.TotalSeconds,
    };
}
