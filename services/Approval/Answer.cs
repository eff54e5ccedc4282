using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Answers a question (rule A6): the activator, or a leader of the level.</summary>
public sealed class Answer(Store<ApprovalDb> store, CaseView view, Sealer sealer)
{
    public Task<Case> Handle(AnswerRequest request, Caller caller, CancellationToken cancel)
    {
        var caseId = Texts.Uuid(request.CaseId, "case_id").ToString("D");
        var person = caller.RequirePerson();
        var sealedText = sealer.Seal(Texts.Required(request.Text, Rejections.NoteEmpty, "text"), SealedFor.Note);
        return store.Write(
            caller.Actor,
            async scope =>
            {
                var now = scope.Now;
                var found = await scope.Db.Load(caseId, caller.RequireCvr(), scope.Cancel);
                if (!caller.MaySee(found))
                    throw new RejectedException(Rejections.CaseNotFound);
                var question = ApprovalRules.Answer(found, request.QuestionId, now).Value;
                (question.AnsweredBy, question.AnsweredAt, question.SealedAnswer) = (person, now, sealedText);
                await scope.Append(new CaseNoted
                {
                    CaseId = caseId,
                    PatientKey = found.PatientKey,
                    Kind = "answer",
                    NotedBy = person,
                    SealedText = sealedText,
                });
                await scope.Notify("answer", found, toPerson: question.AskedBy, toUnit: found.LevelUnitSorId);
                return await view.Whole(scope.Db, found, caller, now, scope.Cancel);
            },
            cancel);
    }
}
