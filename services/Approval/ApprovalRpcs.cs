using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>The gRPC door: an rpc, its operation, its use case.</summary>
public sealed class ApprovalRpcs(
    ListCases listCases, WatchCaseCounts watchCaseCounts, GetCase getCase, GetCaseState getCaseState, Decide decide, Ask ask, Answer answer, RenewCase renewCase, ListNotices listNotices, GetOverview getOverview,
    RegisterComplaint registerComplaint, ListComplaints listComplaints, GetComplaint getComplaint, TreatComplaint treatComplaint, AnswerComplaint answerComplaint,
    GetPractice getPractice, ChangePractice changePractice)
    : ApprovalService.ApprovalServiceBase
{
    [Authorize(Operations.ListCases)]
    public override Task<ListCasesResponse> ListCases(ListCasesRequest request, ServerCallContext context) =>
        listCases.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ListCases)]
    public override Task WatchCaseCounts(WatchCaseCountsRequest request, IServerStreamWriter<CaseCounts> responseStream, ServerCallContext context) =>
        watchCaseCounts.Handle(context.Caller(), responseStream, context.CancellationToken);

    [Authorize(Operations.GetCase)]
    public override Task<Case> GetCase(GetCaseRequest request, ServerCallContext context) =>
        getCase.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.GetCase)]
    public override Task<CaseSummary> GetCaseState(GetCaseStateRequest request, ServerCallContext context) =>
        getCaseState.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.Decide)]
    public override Task<Case> Decide(DecideRequest request, ServerCallContext context) =>
        decide.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.Ask)]
    public override Task<Case> Ask(AskRequest request, ServerCallContext context) =>
        ask.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.Answer)]
    public override Task<Case> Answer(AnswerRequest request, ServerCallContext context) =>
        answer.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.RenewCase)]
    public override Task<Case> Renew(RenewCaseRequest request, ServerCallContext context) =>
        renewCase.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ListNotices)]
    public override Task<ListNoticesResponse> ListNotices(ListNoticesRequest request, ServerCallContext context) =>
        listNotices.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.GetOverview)]
    public override Task<Overview> GetOverview(GetOverviewRequest request, ServerCallContext context) =>
        getOverview.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.RegisterComplaint)]
    public override Task<Complaint> RegisterComplaint(RegisterComplaintRequest request, ServerCallContext context) =>
        registerComplaint.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ListComplaints)]
    public override Task<ListComplaintsResponse> ListComplaints(ListComplaintsRequest request, ServerCallContext context) =>
        listComplaints.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.GetComplaint)]
    public override Task<Complaint> GetComplaint(GetComplaintRequest request, ServerCallContext context) =>
        getComplaint.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.TreatComplaint)]
    public override Task<Complaint> TreatComplaint(TreatComplaintRequest request, ServerCallContext context) =>
        treatComplaint.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.AnswerComplaint)]
    public override Task<Complaint> AnswerComplaint(AnswerComplaintRequest request, ServerCallContext context) =>
        answerComplaint.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.GetPractice)]
    public override Task<Practice> GetPractice(GetPracticeRequest request, ServerCallContext context) =>
        getPractice.Handle(context.Caller(), context.CancellationToken);

    [Authorize(Operations.ChangePractice)]
    public override Task<Practice> ChangePractice(ChangePracticeRequest request, ServerCallContext context) =>
        changePractice.Handle(request, context.Caller(), context.CancellationToken);
}
