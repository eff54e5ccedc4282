using Grpc.Core;
using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;

namespace Sloring.Portal.Pages;

/// <summary>One case: what happened, the course of the 90 days, and what a leader or the activator may do (rules A5 to A9).</summary>
public sealed class CaseModel([FromKeyedServices("approval")] ApprovalService.ApprovalServiceClient approval, TimeProvider clock) : PortalPage
{
    private (string Form, string Text)? _draft;

    [BindProperty(SupportsGet = true)]
    public string Id { get; set; } = "";

    public Case Case { get; private set; } = new();

    public Timeline Timeline { get; private set; } = Timeline.Empty;

    /// <summary>The choice of a decision that was refused.</summary>
    public Decision Decision { get; private set; }

    public bool IsLeader => User.HasRole(Hosting.Roles.Leader);

    /// <summary>The period in which the service renews has begun.</summary>
    public bool MayRenewNow => Case.RenewalFrom is { } from && clock.GetUtcNow() >= from.ToDateTimeOffset();

    /// <summary>What was upheld can be lifted while a complaint is open (rule C3).</summary>
    public bool MayLiftAfterComplaint =>
        Case.Summary.State == CaseState.Upheld && Case.Complaints.Any(complaint => complaint.State is ComplaintState.Received or ComplaintState.UnderTreatment);

    /// <summary>What was written in a form that was refused.</summary>
    public string Written(string form) => _draft?.Form == form ? _draft.Value.Text : "";

    /// <summary>What was written in a form that is not there any more: somebody else was quicker.</summary>
    public string Unsent => _draft switch
    {
        null => "",
        ("Decide", _) when Case.Summary.State == CaseState.Open || MayLiftAfterComplaint => "",
        ("Answer", _) when IsRunning && Case.Questions.Any(question => question.AnsweredAt is null) => "",
        ("Ask" or "Renew", _) when IsRunning => "",
        var (_, text) => text,
    };

    public bool IsRunning => Case.Summary.State is CaseState.Open or CaseState.Upheld;

    public async Task OnGetAsync(CancellationToken cancel)
    {
        Case = await approval.GetCaseAsync(new GetCaseRequest { CaseId = Id }, cancellationToken: cancel);
        Timeline = Timeline.Of(Case, clock.GetUtcNow());
    }

    /// <summary>What has become of the case since the page was shown; nothing where that is nothing, or where it cannot be said now.</summary>
    public async Task<IActionResult> OnGetNewsAsync(CaseState seen, CancellationToken cancel)
    {
        try
        {
            var state = (await approval.GetCaseStateAsync(new GetCaseStateRequest { CaseId = Id }, cancellationToken: cancel)).State;
            return state == seen ? new NoContentResult() : Partial("_CaseNews", new CaseNews(Id, state));
        }
        catch (RpcException e) when (Refusal.Of(e).Kind != RejectionKind.Unauthenticated)
        {
            return new NoContentResult();
        }
    }

    public Task<IActionResult> OnPostDecideAsync(Decision decision, string? reason, CancellationToken cancel)
    {
        Decision = decision;
        return Send("Decide", reason, text => approval.DecideAsync(new DecideRequest { CaseId = Id, Decision = decision, Reason = text }, cancellationToken: cancel).ResponseAsync, cancel);
    }

    public Task<IActionResult> OnPostAskAsync(string? text, CancellationToken cancel) =>
        Send("Ask", text, written => approval.AskAsync(new AskRequest { CaseId = Id, Text = written }, cancellationToken: cancel).ResponseAsync, cancel);

    public Task<IActionResult> OnPostAnswerAsync(int question, string? text, CancellationToken cancel) =>
        Send("Answer", text, written => approval.AnswerAsync(new AnswerRequest { CaseId = Id, QuestionId = question, Text = written }, cancellationToken: cancel).ResponseAsync, cancel);

    public Task<IActionResult> OnPostRenewAsync(string? reason, CancellationToken cancel) =>
        Send("Renew", reason, text => approval.RenewAsync(new RenewCaseRequest { CaseId = Id, Reason = text }, cancellationToken: cancel).ResponseAsync, cancel);

    private Task<IActionResult> Send(string form, string? text, Func<string, Task> call, CancellationToken cancel) => Do(
        () => call(text ?? ""),
        () => RedirectToPage(new { Id }),
        async () =>
        {
            _draft = (form, text ?? "");
            await OnGetAsync(cancel);
            return Page();
        });
}

/// <summary>A case that has changed while somebody had it open.</summary>
public sealed record CaseNews(string CaseId, CaseState State);
