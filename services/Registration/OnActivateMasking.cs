using Google.Protobuf.WellKnownTypes;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>An EPJ adapter activates over the broker (rules M1–M10): the same use case as by gRPC, and the same idempotency key.</summary>
public sealed class OnActivateMasking(Activate activate) : IEdgeConsumer<ActivateMasking>
{
    public async Task<EdgeSending> Handle(ActivateMasking message, Caller caller, CancellationToken cancel)
    {
        var done = await activate.Handle(
            new ActivateRequest
            {
                IdempotencyKey = message.IdempotencyKey ?? "",
                PatientCpr = message.PatientCpr ?? "",
                Trigger = TriggerOf(message.Trigger),
                BehaviourOn = message.BehaviourOn ?? "",
                Reason = message.Reason ?? "",
                Activator = message.Activator.ToWire(),
                EndsAt = message.EndsAt?.ToTimestamp(),
            },
            caller, cancel);
        return new EdgeSending(new EdgeAnswer(
            EdgeNames.ActivateMasking.RoutingKey, true, done.MaskingId, done.InForceFrom.ToDateTimeOffset(), done.EndsAt.ToDateTimeOffset(), done.Position,
            done.SupersededMaskingId.Length == 0 ? null : done.SupersededMaskingId));
    }

    private static Trigger TriggerOf(string? word)
    {
        if (string.IsNullOrEmpty(word))
            return Trigger.Unspecified;
        var found = MaskingRules.TriggerWords.FirstOrDefault(pair => pair.Value == word);
        return found.Value is null ? throw new RejectedException(Rejections.CodeUnknown.For("trigger")) : found.Key;
    }
}
