using Microsoft.Extensions.Options;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Approval, a line for each thing it does.</summary>
public static class ApprovalModule
{
    public const string Name = "approval";

    public static void AddApproval(this WebApplicationBuilder builder)
    {
        builder.AddService<ApprovalDb>(Name);
        builder.AddServiceClient<RegistrationService.RegistrationServiceClient>(from: Name, to: "registration");

        builder.On<ApprovalDb, RegistrationActivated, OnRegistrationActivated>(from: "registration");
        builder.On<ApprovalDb, RegistrationReasonAdded, OnRegistrationReasonAdded>(from: "registration");
        builder.On<ApprovalDb, RegistrationRenewed, OnRegistrationRenewed>(from: "registration");
        builder.On<ApprovalDb, RegistrationShortened, OnRegistrationShortened>(from: "registration");
        builder.On<ApprovalDb, RegistrationTakenOver, OnRegistrationTakenOver>(from: "registration");
        builder.On<ApprovalDb, OrganisationReplaced, OnOrganisationReplaced>(from: "registration");
        builder.On<ApprovalDb, RegistrationEnded, OnRegistrationEnded>(from: "registration");
        builder.On<ApprovalDb, DeadlineReached, OnDeadlineReached>(from: "scheduler");
        builder.Erases<ApprovalDb, EraseCases>();
        builder.TellEdge<ApprovalDb, TellNotifications>();

        var services = builder.Services;
        services.AddOptions<ApprovalOptions>().BindConfiguration("Approval").ValidateOnStart();
        services.AddSingleton<IValidateOptions<ApprovalOptions>, ApprovalOptionsCheck>();
        services.AddSingleton<Practices>();
        services.AddSingleton<ApprovalLevels>();
        services.AddSingleton<CaseView>();

        services.AddSingleton<ListCases>();
        services.AddSingleton<WatchCaseCounts>();
        services.AddSingleton<GetCase>();
        services.AddSingleton<GetCaseState>();
        services.AddSingleton<Decide>();
        services.AddSingleton<RenewCase>();
        services.AddSingleton<Ask>();
        services.AddSingleton<Answer>();
        services.AddSingleton<ListNotices>();
        services.AddSingleton<GetOverview>();
        services.AddSingleton<ComplaintView>();
        services.AddSingleton<RegisterComplaint>();
        services.AddSingleton<ListComplaints>();
        services.AddSingleton<GetComplaint>();
        services.AddSingleton<TreatComplaint>();
        services.AddSingleton<AnswerComplaint>();
        services.AddSingleton<PracticeView>();
        services.AddSingleton<GetPractice>();
        services.AddSingleton<ChangePractice>();
        services.AddSingleton<IFigures, CaseFigures>();
        services.AddSingleton<ApprovalRpcs>();
    }

    public static void MapApproval(this WebApplication app)
    {
        app.MapGrpcService<ApprovalRpcs>();
        app.MapJson<ListCasesRequest, ListCasesResponse>("GET", "/v1/cases", Operations.ListCases, "The caller's work list, most urgent first",
            (http, request, caller, cancel) => http.Get<ListCases>().Handle(request, caller, cancel));
        app.MapJson<GetCaseRequest, Case>("GET", "/v1/cases/{case_id}", Operations.GetCase, "One case; leaves an audit entry",
            (http, request, caller, cancel) => http.Get<GetCase>().Handle(request, caller, cancel));
        app.MapJson<DecideRequest, Case>("POST", "/v1/cases/{case_id}/decision", Operations.Decide, "Upholds or lifts",
            (http, request, caller, cancel) => http.Get<Decide>().Handle(request, caller, cancel));
        app.MapJson<RenewCaseRequest, Case>("POST", "/v1/cases/{case_id}/renewal", Operations.RenewCase, "Decides a further period",
            (http, request, caller, cancel) => http.Get<RenewCase>().Handle(request, caller, cancel));
        app.MapJson<AskRequest, Case>("POST", "/v1/cases/{case_id}/questions", Operations.Ask, "Asks for more information",
            (http, request, caller, cancel) => http.Get<Ask>().Handle(request, caller, cancel));
        app.MapJson<AnswerRequest, Case>("POST", "/v1/cases/{case_id}/questions/{question_id}/answer", Operations.Answer, "Answers a question",
            (http, request, caller, cancel) => http.Get<Answer>().Handle(request, caller, cancel));
        app.MapJson<ListNoticesRequest, ListNoticesResponse>(
            "GET", "/v1/notices", Operations.ListNotices, "Notices to the caller and the caller's level",
            (http, request, caller, cancel) => http.Get<ListNotices>().Handle(request, caller, cancel));
        app.MapJson<GetOverviewRequest, Overview>("GET", "/v1/overview", Operations.GetOverview, "Aggregated use, small cells suppressed",
            (http, request, caller, cancel) => http.Get<GetOverview>().Handle(request, caller, cancel));
        app.MapJson<RegisterComplaintRequest, Complaint>("POST", "/v1/complaints", Operations.RegisterComplaint, "Registers a complaint against a masking",
            (http, request, caller, cancel) => http.Get<RegisterComplaint>().Handle(request, caller, cancel));
        app.MapJson<ListComplaintsRequest, ListComplaintsResponse>("GET", "/v1/complaints", Operations.ListComplaints, "The organisation's complaints, open ones first",
            (http, request, caller, cancel) => http.Get<ListComplaints>().Handle(request, caller, cancel));
        app.MapJson<GetComplaintRequest, Complaint>("GET", "/v1/complaints/{complaint_id}", Operations.GetComplaint, "One complaint; leaves an audit entry",
            (http, request, caller, cancel) => http.Get<GetComplaint>().Handle(request, caller, cancel));
        app.MapJson<TreatComplaintRequest, Complaint>("POST", "/v1/complaints/{complaint_id}/treatment", Operations.TreatComplaint, "Takes a complaint up, or notes its withdrawal",
            (http, request, caller, cancel) => http.Get<TreatComplaint>().Handle(request, caller, cancel));
        app.MapJson<AnswerComplaintRequest, Complaint>("POST", "/v1/complaints/{complaint_id}/answer", Operations.AnswerComplaint, "Answers a complaint",
            (http, request, caller, cancel) => http.Get<AnswerComplaint>().Handle(request, caller, cancel));
        app.MapJson<GetPracticeRequest, Practice>("GET", "/v1/practice", Operations.GetPractice, "How the organisation approves, and who has changed what",
            (http, _, caller, cancel) => http.Get<GetPractice>().Handle(caller, cancel));
        app.MapJson<ChangePracticeRequest, Practice>("POST", "/v1/practice", Operations.ChangePractice, "Chooses how the organisation approves",
            (http, request, caller, cancel) => http.Get<ChangePractice>().Handle(request, caller, cancel));
    }
}
