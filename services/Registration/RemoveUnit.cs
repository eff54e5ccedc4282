using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Ends a department masking (rule D3).</summary>
public sealed class RemoveUnit(DepartmentMaskings units)
{
    public Task<UnitResponse> Handle(RemoveUnitRequest request, Caller caller, CancellationToken cancel) =>
        units.Take(
            request.UnitMaskingId, UnitStep.Remove, Texts.Required(request.Reason, Rejections.EndReasonMissing, "reason"), caller, cancel);
}
