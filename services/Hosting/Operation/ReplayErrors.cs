using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Operation.V1;

namespace Sloring.Hosting;

/// <summary>Has messages that were refused at a queue of the edge done again. Who had it done stands in the service's journal before it begins.</summary>
internal sealed class ReplayErrors(IEnumerable<IServiceJournal> journals, EdgeQueues edge)
{
    /// <summary>A call that answers within seconds.</summary>
    private const int Most = 1_000;

    public async Task<ReplayErrorsResponse> Handle(ReplayErrorsRequest request, Caller caller, CancellationToken cancel)
    {
        var journal = journals.SingleOrDefault(journal => journal.Service == request.Service) ?? throw new RejectedException(Rejections.CodeUnknown.For("service"));
        var queue = EdgeQueues.Of(journal.Service).SingleOrDefault(queue => queue.Queue == request.Queue) ?? throw new RejectedException(Rejections.QueueUnknown.For("queue"));
        var most = request.Limit is > 0 and < Most ? request.Limit : Most;
        return new ReplayErrorsResponse
        {
            Replayed = await edge.Replay(queue, most, messages => journal.Append(caller.Actor, new ErrorsReplayed { Queue = queue.Queue, Messages = messages }, cancel), cancel),
        };
    }
}
