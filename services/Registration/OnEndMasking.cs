using Sloring.Contracts.Edge;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Registration;

/// <summary>An EPJ adapter ends a masking early over the broker, on behalf of a leader.</summary>
public sealed class OnEndMasking(End end) : IEdgeConsumer<EndMasking>
{
    public async Task<EdgeSending> Handle(EndMasking message, Caller caller, CancellationToken cancel)
    {
        var done = await end.Handle(
            new EndRequest { MaskingId = message.MaskingId ?? "", Reason = message.Reason ?? "", Activator = message.Activator.ToWire() }, caller, cancel);
        return new EdgeSending(new EdgeAnswer(
            EdgeNames.EndMasking.RoutingKey, true, message.MaskingId, EndsAt: done.EndedAt.ToDateTimeOffset(), Position: done.Position));
    }
}
