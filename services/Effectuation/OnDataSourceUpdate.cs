using Google.Protobuf.Collections;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>A data source has its entries masked over the broker (rule E5): the same use case as by gRPC, for several patients in one message.</summary>
public sealed class OnDataSourceUpdate(MaskEntries maskEntries) : IEdgeConsumer<DataSourceUpdate>
{
    private const int MostEntries = 1_000;
    private const int ShortestId = 8;

    public async Task<EdgeSending> Handle(DataSourceUpdate message, Caller caller, CancellationToken cancel)
    {
        var updateId = Check(message);
        var masked = new List<PatientEntries>(message.Entries.Count);
        var findings = new RepeatedField<Finding>();
        var (explanation, position) = ((Explanation?)null, long.MaxValue);
        foreach (var patient in message.Entries)
        {
            var request = new MaskEntriesRequest { PatientCpr = patient.PatientCpr ?? "" };
            request.Entries.AddRange(patient.Entries);
            var answer = await maskEntries.Handle(request, caller, cancel);
            masked.Add(new PatientEntries(request.PatientCpr, answer.Entries));
            findings.AddRange(answer.Findings);
            (explanation, position) = (explanation ?? answer.Explanation, Math.Min(position, answer.Position));
        }
        return new EdgeSending(
            new MaskedUpdate(
                updateId, masked, findings, explanation is null ? null : new EdgeExplanation(explanation.Da, explanation.En, explanation.Link),
                masked.Count == 0 ? 0 : position),
            EdgeNames.MaskedUpdates, $"{caller.RequireCvr()}.{caller.ClientId}", CorrelationId: updateId);
    }

    private static string Check(DataSourceUpdate message)
    {
        var updateId = Texts.Id(message.UpdateId, Rejections.IdInvalid, "update_id", ShortestId);
        // It stands in the clear in the answer's properties, and there in whatever watches the broker.
        if (CprNumber.TryParse(updateId.Replace("-", "", StringComparison.Ordinal), out _))
            throw new RejectedException(Rejections.IdInvalid.For("update_id"));
        if (message.Entries is null)
            throw new RejectedException(Rejections.Malformed.For("entries"));
        var entries = 0;
        foreach (var patient in message.Entries)
        {
            if (patient?.Entries is null || patient.Entries.Any(entry => entry is null))
                throw new RejectedException(Rejections.Malformed.For("entries"));
            entries += patient.Entries.Count;
        }
        return entries <= MostEntries ? updateId : throw new RejectedException(Rejections.UpdateTooLarge.For("entries"));
    }
}
