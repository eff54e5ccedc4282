using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>
/// Decides a further period (rule A9). Registration extends the masking before this answers: an event could arrive after the end and
/// let names show in between. The ground is kept first, so that a crash after Registration has acted loses nothing.
/// </summary>
public sealed class RenewCase(
    Store<ApprovalDb> store, Practices practices, CaseView view, Sealer sealer, TimeProvider clock,
    [FromKeyedServices(ApprovalModule.Name)] RegistrationService.RegistrationServiceClient registration)
{
    public async Task<Case> Handle(RenewCaseRequest request, Caller caller, CancellationToken cancel)
    {
        var caseId = Texts.Uuid(request.CaseId, "case_id").ToString("D");
        var sealedReason = sealer.Seal(Texts.Required(request.Reason, Rejections.RenewalReasonMissing, "reason"), SealedFor.Reason);
        var person = caller.RequirePerson();
        var extendsEnd = await store.Write(
            caller.Actor,
            async scope =>
            {
                var found = await scope.Db.Load(caseId, caller.RequireCvr(), scope.Cancel);
                var practice = await practices.Of(scope.Db, found.Cvr, scope.Cancel);
                _ = ApprovalRules.Decide(CaseCommand.Renew, found, caller.DeciderOf(found, practice), practice, scope.Now).Value;
                await scope.KeepGround(found, person, sealedReason);
                return found.EndsAt;
            },
            cancel);
        var endsAt = await Extend(caseId, extendsEnd, person, cancel);
        return await store.Write(
            caller.Actor,
            async scope =>
            {
                var found = await scope.Db.Load(caseId, caller.RequireCvr(), scope.Cancel);
                await scope.RecordRenewal(found, extendsEnd, endsAt, person, scope.Now, await practices.Of(scope.Db, found.Cvr, scope.Cancel));
                return await view.Whole(scope.Db, found, caller, scope.Now, scope.Cancel);
            },
            cancel);
    }

    private async Task<DateTimeOffset> Extend(string caseId, DateTimeOffset extendsEnd, string person, CancellationToken cancel)
    {
        var request = new RenewRequest { MaskingId = caseId, ExtendsEnd = extendsEnd.ToTimestamp(), DecidedBy = person };
        try
        {
            return (await registration.RenewAsync(request, cancellationToken: cancel)).EndsAt.ToDateTimeOffset();
        }
        catch (RpcException e)
        {
            // Registration knows first when a masking is over; here the case is about to close.
            var code = RejectionWriter.FromRpc(e)?.Code;
            var over = code == Rejections.MaskingNotInForce.Code || code == Rejections.MaskingNotFound.Code;
            throw new RejectedException((over, e.StatusCode) switch
            {
                (true, _) => clock.GetUtcNow() >= extendsEnd ? Rejections.RenewalTooLate : Rejections.CaseClosed,
                (_, StatusCode.Unavailable or StatusCode.DeadlineExceeded) => Rejections.Busy,
                _ => Rejections.Failed,
            });
        }
    }
}
