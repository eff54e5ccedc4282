using Sloring.Contracts.Edge;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Registration;

/// <summary>An EPJ adapter writes the reason over the broker (rule M5).</summary>
public sealed class OnAddReason(AddReason addReason) : IEdgeConsumer<Contracts.Edge.AddReason>
{
    public async Task<EdgeSending> Handle(Contracts.Edge.AddReason message, Caller caller, CancellationToken cancel)
    {
        var done = await addReason.Handle(new AddReasonRequest { MaskingId = message.MaskingId ?? "", Reason = message.Reason ?? "" }, caller, cancel);
        return new EdgeSending(new EdgeAnswer(EdgeNames.AddReason.RoutingKey, true, message.MaskingId, Position: done.Position));
    }
}
