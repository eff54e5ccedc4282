using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Hosting;
using Sloring.Pseudonym.Domain;

namespace Sloring.Pseudonym;

/// <summary>
/// Pseudonyms of people towards one patient under the salt in use (rules E3, E4). Of the request, who asked, the patient and how many names is kept: whoever tries a staff list finds who
/// is behind a pseudonym, so the audit entry is durable before the answer leaves (rule O3).
/// </summary>
public sealed class Compute(Salts salts, AuditReads<PseudonymDb> audit, PatientKeys patients)
{
    private const int MostNames = 1_000;

    public async Task<ComputeResponse> Handle(ComputeRequest request, Caller caller, CancellationToken cancel)
    {
        var patient = CprNumber.Parse(request.PatientCpr);
        if (request.Names.Count == 0)
            throw new RejectedException(Rejections.NameMissing.For("names"));
        if (request.Names.Count > MostNames)
            throw new RejectedException(Rejections.TooLarge.For("names"));
        if (NameRules.Check(request.Names, "names") is { } wrong)
            throw new RejectedException(wrong);

        var salt = await salts.Current(caller.Actor, cancel);
        var pseudonyms = NationalPseudonym.For(patient, salt.Text);
        var response = new ComputeResponse { SaltId = salt.Id, Pseudonyms = { request.Names.Select((name, i) => Of(pseudonyms, name, $"names[{i}]")) } };
        await audit.Record(caller, Operations.ComputePseudonyms, patients.Of(patient), null, cancel, request.Names.Count);
        return response;
    }

    /// <summary>One pseudonym; SLR-905 for a name that this process cannot bring into normal form, since a wrong pseudonym is worse than none.</summary>
    internal static string Of(PatientPseudonyms pseudonyms, string name, string field)
    {
        try
        {
            return pseudonyms.Of(name);
        }
        catch (ArgumentException)
        {
            throw new RejectedException(Rejections.TextTooLong.For(field));
        }
    }
}
