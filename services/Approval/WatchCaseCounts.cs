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
            var counts = await Count(caller, cancel);
            if (!counts.Equals(told))
                await stream.WriteAsync(told = counts, cancel);
            await Task.Delay(Pause, clock, cancel);
            await Task.WhenAny(store.Tail.WaitBeyond(head, cancel), Task.Delay(LookEvery, clock, cancel));
            cancel.ThrowIfCancellationRequested();
        }
    }

    private Task<CaseCounts> Count(Caller caller, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        return store.Read(
            async db =>
            {
                var open = ListCases.InState(ListCases.Visible(db, caller), CaseState.Open, now);
                return new CaseCounts { Open = await open.CountAsync(cancel), Overdue = await open.CountAsync(c => c.DecisionDue <= now, cancel) };
            },
            cancel);
    }
}
