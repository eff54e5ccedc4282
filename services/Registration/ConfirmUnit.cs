using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>The national confirmation puts a department masking in force (rule D3).</summary>
public sealed class ConfirmUnit(DepartmentMaskings units)
{
    public Task<UnitResponse> Handle(ConfirmUnitRequest request, Caller caller, CancellationToken cancel) =>
        units.Take(request.UnitMaskingId, UnitStep.Confirm, "", caller, cancel);
}
