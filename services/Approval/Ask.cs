using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Asks the activator for more information, before a decision or a renewal (rule A6).</summary>
public sealed class Ask(Store<ApprovalDb> store, Practices practices, CaseView view, Sealer sealer)
{
    public Task<Case> Handle(AskRequest request, Caller caller, CancellationToken cancel)
    {
        var caseId = Texts.Uuid(request.CaseId, "case_id").ToString("D");
        var sealedText = sealer.Seal(Texts.Required(request.Text, Rejections.NoteEmpty, "text"), SealedFor.Note);
        return store.Write(
            caller.Actor,
            async scope =>
            {
                var now = scope.Now;
                var found = await scope.Db.Load(caseId, caller.RequireCvr(), scope.Cancel);
                var practice = await practices.Of(scope.Db, found.Cvr, scope.Cancel);
                var asker = caller.DeciderOf(found, practice);
                _ = ApprovalRules.Decide(CaseCommand.Ask, found, asker, practice, now).Value;
                found.Questions.Add(new CaseQuestion
                {
                    CaseId = caseId,
                    Number = found.Questions.Count + 1,
                    AskedBy = asker.PersonId,
                    AskedAt = now,
                    SealedText = sealedText,
                });
                await scope.Append(new CaseNoted
                {
                    CaseId = caseId,
                    PatientKey = found.PatientKey,
                    Kind = "question",
                    NotedBy = asker.PersonId,
                    SealedText = sealedText,
                });
                await scope.Notify("question", found, toPerson: found.ActivatedBy);
                return await view.Whole(scope.Db, found, caller, now, scope.Cancel);
            },
            cancel);
    }
}
