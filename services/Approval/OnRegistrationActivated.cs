using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Opens a case at the level that the organisation chose, tells it at once (rule A1), and closes the case it supersedes (rule M7).</summary>
public sealed class OnRegistrationActivated(Practices practices, ApprovalLevels levels) : IReaction<ApprovalDb, RegistrationActivated>
{
    public async Task React(RegistrationActivated e, WriteScope<ApprovalDb> scope)
    {
        if (e.SupersededMaskingId is { } superseded)
            await scope.Close(await scope.Db.OfMasking(superseded, scope.Cancel), CaseCommand.Supersede, e.ActivatedAt);

        var practice = await practices.Of(scope.Db, e.Cvr, scope.Cancel);
        var opened = new ApprovalCase
        {
            CaseId = e.MaskingId,
            PatientKey = e.PatientKey,
            SealedCpr = e.SealedCpr,
            Cvr = e.Cvr,
            Trigger = e.Trigger,
            BehaviourOn = e.BehaviourOn,
            ActivatedAt = e.ActivatedAt,
            ActivatedBy = e.ActivatedBy,
            LevelUnitSorId = levels.Deciding(CvrNumber.Parse(e.Cvr), e.UnitSorId, practice.ApprovalLevel),
            DecisionDue = Deadlines.DecisionDue(e.ActivatedAt, practice),
            EndsAt = e.EndsAt,
            RenewalFrom = Deadlines.RenewalFrom(e.EndsAt, practice),
            SealedReason = e.SealedReason,
        };
        scope.Db.Cases.Add(opened);
        await scope.Append(new CaseOpened
        {
            CaseId = opened.CaseId,
            PatientKey = opened.PatientKey,
            Cvr = opened.Cvr,
            LevelUnitSorId = opened.LevelUnitSorId,
            DecisionDue = opened.DecisionDue,
        });
        foreach (var planned in Deadlines.OfNewCase(e.ActivatedAt, e.EndsAt, reasonMissing: e.SealedReason is null, practice))
            await scope.SetDeadline(opened, planned);
        await scope.Notify("leader-told", opened, toUnit: opened.LevelUnitSorId);
    }
}
