using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>How many open cases the caller's work list holds: at once, then whenever it has changed, by a commit or because a deadline has passed.</summary>
public sealed class WatchCaseCounts(Store<ApprovalDb> store, LongCalls longCalls, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    /// <summary>However much is committed, no more is counted for one watcher.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Deadlines pass without a commit.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    /// <summary>The last count of each work list, which all who watch that list share.</summary>
    private readonly Dictionary<WorkList, Counted> _counted = [];

    public async Task Handle(Caller caller, IServerStreamWriter<CaseCounts> stream, CancellationToken gone)
    {
        using var call = longCalls.Watch(caller);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(gone, lifetime.ApplicationStopping, call.Over);
        try
        {
            await Watch(caller, stream, ending.Token);
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            throw new RejectedException(call.Why ?? Rejections.Busy);
        }
    }

    private async Task Watch(Caller caller, IServerStreamWriter<CaseCounts> stream, CancellationToken cancel)
    {
        CaseCounts? told = null;
        while (true)
        {
            var head = store.Tail.Head;
            var counts = await Count(caller, head).WaitAsync(cancel);
            if (!counts.Equals(told))
                await stream.WriteAsync(told = counts, cancel);
            await Task.Delay(Pause, clock, cancel);
            await Task.WhenAny(store.Tail.WaitBeyond(head, cancel), Task.Delay(LookEvery, clock, cancel));
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A count that holds all that was committed up to <paramref name="head"/>.</summary>
    private Task<CaseCounts> Count(Caller caller, long head)
    {
        var now = clock.GetUtcNow();
        var list = WorkList.Of(caller);
        lock (_counted)
        {
            if (!_counted.TryGetValue(list, out var last) || last.Head < head || last.At + LookEvery <= now || last.Counts.IsFaulted || last.Counts.IsCanceled)
                _counted[list] = last = new Counted(head, now, Count(caller, now));
            return last.Counts;
        }
    }

    private Task<CaseCounts> Count(Caller caller, DateTimeOffset now) => store.Read(
        async db =>
        {
            var counts = new CaseCounts();
            foreach (var part in ListCases.Visible(db, caller))
            {
                var open = ListCases.InState(part, CaseState.Open, now);
                counts.Open += await open.CountAsync(lifetime.ApplicationStopping);
                counts.Overdue += await open.CountAsync(c => c.DecisionDue <= now, lifetime.ApplicationStopping);
            }
            return counts;
        },
        lifetime.ApplicationStopping);

    private sealed record Counted(long Head, DateTimeOffset At, Task<CaseCounts> Counts);

    /// <summary>What <see cref="ListCases.Visible"/> of a caller depends on.</summary>
    private readonly record struct WorkList(string Cvr, bool All, string? UnitSorId)
    {
        public static WorkList Of(Caller caller) =>
            ListCases.SeesAll(caller) ? new(caller.RequireCvr().ToString(), true, null) : new(caller.RequireCvr().ToString(), false, caller.UnitSorId);
    }
}
