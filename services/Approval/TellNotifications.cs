using Sloring.Contracts.Edge;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Requested = Sloring.Contracts.Events.NotificationRequested;

namespace Sloring.Approval;

/// <summary>Tells regions' own systems over the broker that people must be told (rules A1, A3, A5, A8, M5, C3). It names the case, never the patient.</summary>
public sealed class TellNotifications : IEdgeTeller
{
    private static readonly string Type = EventNames.Of<Requested>();

    public Task<IReadOnlyList<EdgeSending>> Of(JournalEntry entry, CancellationToken cancel)
    {
        if (entry.Type != Type)
            return Task.FromResult<IReadOnlyList<EdgeSending>>([]);
        var e = (Requested)EventJson.Read(entry.Type, entry.Data);
        return Task.FromResult<IReadOnlyList<EdgeSending>>(
        [
            new EdgeSending(
                new Contracts.Edge.NotificationRequested(e.NoticeId, e.Kind, e.CaseId, e.Cvr, e.ToPerson, e.ToUnitSorId, e.SentAt),
                EdgeNames.Notifications, $"{e.Cvr}.{e.Kind}", MessageId: e.NoticeId, TraceParent: entry.TraceParent),
        ]);
    }
}
