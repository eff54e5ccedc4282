using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Xunit;
using static Sloring.Tests.Service.Approval.ApprovalHost;

namespace Sloring.Tests.Service.Approval;

/// <summary>What becomes of an organisation's cases when another replaces it (decision 37).</summary>
public sealed class TakenOverTests
{
    private static readonly Person Stranger = StrangerLeader with { Unit = "2000011000016003" };

    [Fact] // A1, A2, A5
    public async Task An_open_case_is_decided_by_the_new_organisation_when_it_was_due()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        var (before, pending) = (await host.Row(id), await host.Pending(id));

        await TakeOver(host, id);

        var listed = Assert.Single((await host.Call(Stranger, "GET", "/v1/cases")).List("cases"));
        Assert.Equal(id, listed.GetProperty("caseId").GetString());
        // The register gives the unit to the old organisation still: the top of the new one decides.
        var row = await host.Row(id);
        Assert.Equal((OtherCvr, Stranger.Unit, before.DecisionDue, before.EndsAt), (row.Cvr, row.LevelUnitSorId, row.DecisionDue, row.EndsAt));
        Assert.Equal(pending.Select(deadline => deadline.DeadlineId), (await host.Pending(id)).Select(deadline => deadline.DeadlineId));
        Assert.Contains("leader-told", await Notices(host, Stranger));
        Assert.Equal("SLR-201", (await host.Call(HospitalLeader, "GET", $"/v1/cases/{id}")).Code);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await host.Call(Stranger, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_UPHOLD" })).Status);
        Assert.Contains(await host.Events(), e => e is CaseMoved moved && moved.CaseId == id && moved.Cvr == OtherCvr && moved.LevelUnitSorId == Stranger.Unit);
        // The deadlines of before still count.
        await host.Reach(id, DeadlineKinds.ExpiryNotice);
        Assert.Contains("expiry-notice", await Notices(host, Stranger));
    }

    [Fact] // A3
    public async Task An_escalated_case_is_escalated_there_too()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        await host.Reach(id, DeadlineKinds.DecisionOverdue);
        Assert.Equal(Region, (await host.Row(id)).EscalatedUnitSorId);

        await TakeOver(host, id);

        // Above the top there is nobody.
        Assert.Equal((Stranger.Unit, null), ((await host.Row(id)).LevelUnitSorId, (await host.Row(id)).EscalatedUnitSorId));
        Assert.True(Assert.Single((await host.Call(Stranger, "GET", "/v1/cases")).List("cases")).GetProperty("overdue").GetBoolean());
    }

    [Fact] // M7, C3
    public async Task Closed_cases_follow_with_their_complaints_and_a_superseded_one_is_closed()
    {
        await using var host = await Start();
        var (lifted, goes, stays) = (await host.OpenCase(), await host.OpenCase(), await host.OpenCase());
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{lifted}/decision", new { decision = "DECISION_LIFT", reason = "Uberettiget" });
        await host.Publish(new RegistrationEnded { MaskingId = lifted, PatientKey = host.Activation().PatientKey, Cvr = Cvr, Cause = "lifted", EndedAt = host.Clock.Now, EndedBy = HospitalLeader.Id });
        foreach (var about in (string[])[lifted, stays])
        {
            Assert.Null((await host.Call(Overseer, "POST", "/v1/complaints",
                new { complaintId = Guid.NewGuid().ToString("D"), caseId = about, text = "Jeg truede ingen.", receivedOn = "2026-01-05", complainant = "COMPLAINANT_PATIENT" })).Code);
        }

        await host.Publish(new OrganisationReplaced { ReplacedCvr = Cvr, Cvr = OtherCvr, ReplacedAt = host.Clock.Now });
        await host.Publish(Moved(host, stays, supersedes: goes));

        foreach (var id in (string[])[lifted, goes, stays])
            Assert.Equal(OtherCvr, (await host.Row(id)).Cvr);
        Assert.Equal((CaseState.Lifted, CaseState.Superseded, CaseState.Open), ((await host.Row(lifted)).State, (await host.Row(goes)).State, (await host.Row(stays)).State));
        Assert.Empty(await host.Pending(goes));
        Assert.Equal(2, (await host.Call(Stranger, "GET", "/v1/complaints")).List("complaints").Count);
        Assert.Empty((await host.Call(Overseer, "GET", "/v1/complaints")).List("complaints"));
        Assert.Empty((await host.Call(RegionLeader, "GET", "/v1/cases")).List("cases"));
    }

    [Fact]
    public async Task A_masking_that_covers_more_changes_nothing_in_its_case()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        var head = (await host.Events()).Count;

        await host.Publish(Moved(host, id) with { Cvr = Cvr });

        Assert.Equal((Cvr, Hospital), ((await host.Row(id)).Cvr, (await host.Row(id)).LevelUnitSorId));
        Assert.Equal(head, (await host.Events()).Count);
    }

    private static async Task TakeOver(ApprovalHost host, string caseId)
    {
        await host.Publish(new OrganisationReplaced { ReplacedCvr = Cvr, Cvr = OtherCvr, ReplacedAt = host.Clock.Now });
        await host.Publish(Moved(host, caseId));
    }

    private static RegistrationTakenOver Moved(ApprovalHost host, string maskingId, string? supersedes = null) => new()
    {
        MaskingId = maskingId,
        PatientKey = host.Activation().PatientKey,
        FormerCvr = Cvr,
        Cvr = OtherCvr,
        EndsAt = host.Activation().EndsAt,
        SupersededMaskingId = supersedes,
        TakenOverAt = host.Clock.Now,
    };
}
