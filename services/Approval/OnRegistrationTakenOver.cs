using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>
/// The case of a masking whose organisation was replaced is the new organisation's, with what belongs to it, and is told to the level that decides there (rule A1, decision 37). Its
/// deadlines stay: the decision is due when it was due. The case of a masking that the takeover superseded is closed (rule M7).
/// </summary>
public sealed class OnRegistrationTakenOver(Practices practices, ApprovalLevels levels) : IReaction<ApprovalDb, RegistrationTakenOver>
{
    public async Task React(RegistrationTakenOver e, WriteScope<ApprovalDb> scope)
    {
        if (e.SupersededMaskingId is { } id)
        {
            var superseded = await scope.Db.OfMasking(id, scope.Cancel);
            await scope.Close(superseded, CaseCommand.Supersede, e.TakenOverAt);
            await Move(superseded, e.Cvr, scope);
        }
        var found = await scope.Db.OfMasking(e.MaskingId, scope.Cancel);
        if (!await Move(found, e.Cvr, scope) || found.ClosedAt is not null)
            return;
        await scope.Append(new CaseMoved { CaseId = found.CaseId, PatientKey = found.PatientKey, Cvr = found.Cvr, LevelUnitSorId = found.LevelUnitSorId });
        await scope.Notify("leader-told", found, toUnit: found.LevelUnitSorId);
    }

    /// <summary>False where the case is the organisation's already.</summary>
    private async Task<bool> Move(ApprovalCase found, string cvr, WriteScope<ApprovalDb> scope)
    {
        if (found.Cvr == cvr)
            return false;
        var (organisation, practice) = (CvrNumber.Parse(cvr), await practices.Of(scope.Db, cvr, scope.Cancel));
        found.Cvr = cvr;
        found.LevelUnitSorId = levels.Deciding(organisation, found.LevelUnitSorId, practice.ApprovalLevel);
        if (found.EscalatedUnitSorId is not null)
            found.EscalatedUnitSorId = levels.Above(organisation, found.LevelUnitSorId);
        await OnOrganisationReplaced.MoveWhatBelongsTo(scope.Db.Cases.Where(c => c.CaseId == found.CaseId), cvr, scope);
        return true;
    }
}
