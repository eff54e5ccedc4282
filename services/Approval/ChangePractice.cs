using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Practice = Sloring.Contracts.Approval.V1.Practice;
using PracticeChoice = Sloring.Approval.Domain.PracticeChoice;

namespace Sloring.Approval;

/// <summary>
/// The region chooses how its organisation approves (rules A1, A2, A7, A8), over the configuration and from now on: cases keep the level and the deadlines that they got. A change
/// names the version it was made from; the same once more changes nothing.
/// </summary>
public sealed class ChangePractice(Store<ApprovalDb> store, PracticeView view)
{
    public Task<Practice> Handle(ChangePracticeRequest request, Caller caller, CancellationToken cancel)
    {
        var (cvr, person) = (caller.RequireCvr().ToString(), caller.RequirePerson());
        var asked = request.Chosen ?? new();
        var chosen = PracticeRules.Choose(
            asked.HasApprovalLevel ? asked.ApprovalLevel : null,
            asked.HasMayDecideOwn ? asked.MayDecideOwn : null,
            asked.ExtraNonWorkingDays?.Days,
            asked.HasDecisionWorkingDays ? asked.DecisionWorkingDays : null,
            asked.HasExpiryNoticeDays ? asked.ExpiryNoticeDays : null).Value;
        return store.Write(
            caller.Actor,
            async scope =>
            {
                var last = await Practices.Versions(scope.Db, cvr).FirstOrDefaultAsync(scope.Cancel);
                var differences = PracticeRules.Differences(last?.Choice() ?? PracticeChoice.None, chosen);
                if (differences.Count == 0)
                    return await view.Whole(scope.Db, cvr, scope.Cancel);
                var version = last?.Version ?? 0;
                if (request.Version != version)
                    throw new RejectedException(Rejections.PracticeChangedMeanwhile.For("version"));
                scope.Db.PracticeVersions.Add(new PracticeVersion
                {
                    Cvr = cvr,
                    Version = version + 1,
                    ApprovalLevel = chosen.ApprovalLevel,
                    MayDecideOwn = chosen.MayDecideOwn,
                    ExtraNonWorkingDays = chosen.ExtraNonWorkingDays,
                    DecisionWorkingDays = chosen.DecisionWorkingDays,
                    ExpiryNoticeDays = chosen.ExpiryNoticeDays,
                    ChangedBy = person,
                    ChangedAt = scope.Now,
                });
                foreach (var difference in differences)
                {
                    await scope.Append(new PracticeChanged
                    {
                        Cvr = cvr,
                        Version = version + 1,
                        Setting = difference.Setting,
                        From = difference.From,
                        To = difference.To,
                        By = person,
                    });
                }
                await scope.Db.SaveChangesAsync(scope.Cancel);
                return await view.Whole(scope.Db, cvr, scope.Cancel);
            },
            cancel);
    }
}
