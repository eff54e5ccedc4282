using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>The region reviews a nomination for even practice (rule D2).</summary>
public sealed class ReviewUnit(DepartmentMaskings units)
{
    public Task<UnitResponse> Handle(ReviewUnitRequest request, Caller caller, CancellationToken cancel)
    {
        var reason = Texts.Optional(request.Reason, "reason");
        return units.Take(request.UnitMaskingId, UnitRules.StepOf(request.Review, reason.Length > 0).Value, reason, caller, cancel);
    }
}
