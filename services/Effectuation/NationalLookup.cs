using System.Xml.Linq;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>The national wire's look-ups, which a token service makes (rule E8): the organisations that mask towards a citizen, and the units that mask towards all.</summary>
public sealed class NationalLookup(GetMaskingInstructions instructions)
{
    public const string OrganisationsName = "GetBlurredOrganisations";
    public const string UnitsName = "ListAllBlurredOrgs";

    public async Task<XElement> Organisations(SoapCall call, CancellationToken cancel)
    {
        if (call.Text("patientId", "classification") != "CPR")
            throw new RejectedException(Rejections.CodeUnknown.For("classification"));
        var found = await instructions.Handle(new GetMaskingInstructionsRequest { PatientCpr = call.Text("patientId", "id") ?? "" }, call.Caller, cancel);
        return new XElement(call.Payload + "BlurredOrganisationsResponse", found.Organisations.Select(organisation => Id(call, "organisationId", organisation.Cvr, "CVR")));
    }

    /// <summary>The element of its items is inferred.</summary>
    public Task<XElement> Units(SoapCall call) =>
        Task.FromResult(new XElement(call.Payload + "ListAllBlurredOrgsResponse", instructions.Units().Select(unit => Id(call, "org", unit.Id, unit.Classification))));

    private static XElement Id(SoapCall call, string name, string id, string classification) =>
        new(call.Payload + name, new XElement(call.Payload + "id", id), new XElement(call.Payload + "classification", classification));
}
