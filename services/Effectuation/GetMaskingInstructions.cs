using Google.Protobuf.WellKnownTypes;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>What is masked for one citizen (rule E8): no why, no who. Answers after its audit entry is durable (rule O3), or not at all.</summary>
public sealed class GetMaskingInstructions(WatchPicture watch, AuditReads<EffectuationDb> audit)
{
    public async Task<MaskingInstructions> Handle(GetMaskingInstructionsRequest request, Caller caller, CancellationToken cancel)
    {
        var patient = CprNumber.Parse(request.PatientCpr);
        // A data source learns of its own organisation only (rule E8 with decision 6), and of none before it has named it.
        CvrNumber? only = caller.Is(Roles.DataSource) ? caller.RequireCvr() : null;
        await audit.Record(caller, Operations.GetMaskingInstructions, watch.Watcher.Fresh().Picture.KeyOf(patient), caller.For, cancel);
        // Taken after the wait: what was masked meanwhile is in the answer (rule E7).
        var (picture, nowMs) = watch.Watcher.Fresh();
        var key = picture.KeyOf(patient);
        var answer = new MaskingInstructions { Position = picture.Position };
        foreach (var masking in picture.Index.ForPatient(key, nowMs))
        {
            if (only is not { } own || picture.AreSame(own, masking.Cvr))
                answer.Organisations.Add(new MaskedOrganisation
                {
                    Cvr = masking.Cvr.ToString(),
                    EndsAt = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(masking.EndsAtMs)),
                });
        }
        answer.Units.Add(UnitsOf(picture, only));
        return answer;
    }

    /// <summary>The units whose staff are masked from every citizen. No patient is asked about, so none stands in the audit trail.</summary>
    public IEnumerable<MaskedUnit> Units() => UnitsOf(watch.Watcher.Fresh().Picture, null);

    private static IEnumerable<MaskedUnit> UnitsOf(MaskingPicture picture, CvrNumber? only)
    {
        // A unit of an organisation that has replaced another is told of for both.
        var units = picture.Units.All.Where(unit => only is not { } own || picture.AreSame(own, unit.Cvr)).ToList();
        foreach (var id in units.SelectMany(unit => unit.SorIds).Distinct())
            yield return new MaskedUnit { Classification = "SOR", Id = id };
        foreach (var prefix in units.Select(unit => unit.ShakPrefix).Where(prefix => prefix.Length > 0).Distinct())
            yield return new MaskedUnit { Classification = "SHAK", Id = prefix };
    }
}
