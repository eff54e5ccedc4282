using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>A data source has its entries masked over the broker (rule E5): the same use case as by gRPC, for several patients in one message.</summary>
public sealed class OnDataSourceUpdate(MaskEntries maskEntries) : IEdgeConsumer<RawUpdate>
{
    private const int MostEntries = 1_000;
    private const int ShortestId = 8;

    /// <summary>Reads a message; of one with too many entries no more than it takes to refuse it.</summary>
    public static RawUpdate Read(ReadOnlyMemory<byte> body) => RawUpdate.Read(body, MostEntries);

    public async Task<EdgeSending> Handle(RawUpdate message, Caller caller, CancellationToken cancel)
    {
        var updateId = Check(message);
        var masked = new RawMaskedUpdate(message);
        foreach (var patient in message.Patients)
            await maskEntries.Handle(message, patient, masked, caller, cancel);
        return new EdgeSending(masked, EdgeNames.MaskedUpdates, $"{caller.RequireCvr()}.{caller.ClientId}", CorrelationId: updateId);
    }

    private static string Check(RawUpdate message)
    {
        var updateId = Texts.Id(message.UpdateId, Rejections.IdInvalid, "update_id", ShortestId);
        // It stands in the clear in the answer's properties, and there in whatever watches the broker.
        if (CprNumber.TryParse(updateId.Replace("-", "", StringComparison.Ordinal), out _))
            throw new RejectedException(Rejections.IdInvalid.For("update_id"));
        if (!message.IsWhole)
            throw new RejectedException(Rejections.Malformed.For("entries"));
        return message.Count <= MostEntries ? updateId : throw new RejectedException(Rejections.UpdateTooLarge.For("entries"));
    }
}
