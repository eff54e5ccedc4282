using System.Net;
using System.Text;
using Sloring.Contracts.Events;
using Xunit;
using static Sloring.Tests.Service.Approval.ApprovalHost;

namespace Sloring.Tests.Service.Approval;

/// <summary>Complaints against maskings, as those who treat them meet them (rule C3).</summary>
public sealed class ComplaintTests
{
    private const string Words = "Jeg truede ingen den dag";
    private static readonly Person Management = new("manager-1", Cvr, ["hospital-management"], Hospital);
    private static readonly Person Stranger = new("manager-9", OtherCvr, ["hospital-management", "region"], "2000011000016003");
    private static readonly object TakeUp = new { treatment = "TREATMENT_TAKE_UP" };
    private static readonly object Withdraw = new { treatment = "TREATMENT_WITHDRAW" };

    // C3
    [Fact]
    public async Task From_registration_to_answer_it_changes_nothing_of_the_case()
    {
        await using var host = await Start();
        var caseId = await host.OpenCase();
        var before = (await host.Call(HospitalLeader, "GET", $"/v1/cases/{caseId}"))["summary"].GetRawText();
        var deadlines = (await host.Pending(caseId)).Count;

        var id = await Registered(host, caseId);
        var taken = await host.Call(Overseer, "POST", $"/v1/complaints/{id}/treatment", TakeUp);
        Assert.Equal(("COMPLAINT_STATE_UNDER_TREATMENT", Overseer.Id), (taken["summary"].GetProperty("state").GetString(), taken["summary"].GetProperty("takenUpBy").GetString()));
        var answered = await host.Call(Management, "POST", $"/v1/complaints/{id}/answer", new { answer = "Vi har set paa det", outcome = "COMPLAINT_OUTCOME_UPHELD" });

        Assert.Equal(
            ("COMPLAINT_STATE_ANSWERED", "COMPLAINT_OUTCOME_UPHELD", Management.Id),
            (answered["summary"].GetProperty("state").GetString(), answered["summary"].GetProperty("outcome").GetString(), answered["summary"].GetProperty("closedBy").GetString()));
        var read = await host.Call(Overseer, "GET", $"/v1/complaints/{id}");
        Assert.Equal((Words, "Vi har set paa det", "CASE_STATE_OPEN"), (read["text"].GetString(), read["answer"].GetString(), read["caseState"].GetString()));
        var seen = await host.Call(HospitalLeader, "GET", $"/v1/cases/{caseId}");
        Assert.Equal(before, seen["summary"].GetRawText());
        var told = Assert.Single(seen.List("complaints"));
        Assert.Equal((id, "COMPLAINT_STATE_ANSWERED"), (told.GetProperty("complaintId").GetString(), told.GetProperty("state").GetString()));
        Assert.Equal(deadlines, (await host.Pending(caseId)).Count);
        Assert.Equal(
            [("registered", null, Management.Id), ("taken-up", null, Overseer.Id), ("answered", "upheld", Management.Id)],
            (await host.Events()).OfType<ComplaintChanged>().Select(e => (e.Step, e.Outcome, e.By)));
        Assert.Empty((await host.Events()).OfType<ApprovalDecided>());
    }

    // C3
    [Fact]
    public async Task The_level_is_told_of_a_complaint_once_and_nobody_else_is()
    {
        await using var host = await Start();
        var caseId = await host.OpenCase();

        var complaint = Complaint(host, caseId);
        host.Clock.Now = host.Clock.Now.AddHours(1);
        foreach (var _ in (string[])["first", "again"])
            Assert.Equal(HttpStatusCode.OK, (await host.Call(Management, "POST", "/v1/complaints", complaint)).Status);

        Assert.Equal(["complaint", "leader-told"], await Notices(host, HospitalLeader));
        foreach (var other in (Person[])[RegionLeader, DepartmentLeader, Nurse, StrangerLeader])
            Assert.DoesNotContain("complaint", await Notices(host, other));
        var told = Assert.Single((await host.Events()).OfType<NotificationRequested>(), notice => notice.Kind == "complaint");
        Assert.Equal((caseId, Cvr, null, Hospital), (told.CaseId, told.Cvr, told.ToPerson, told.ToUnitSorId));
    }

    // C3, A5
    [Fact]
    public async Task A_leader_may_lift_as_the_outcome_also_what_was_upheld_and_only_then_it_is_the_answer()
    {
        await using var host = await Start();
        var caseId = await host.OpenCase();
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{caseId}/decision", new { decision = "DECISION_UPHOLD" });
        var lift = new { decision = "DECISION_LIFT", reason = "Klagen er rigtig" };
        Assert.Equal("SLR-205", (await host.Call(HospitalLeader, "POST", $"/v1/cases/{caseId}/decision", lift)).Code);
        host.Clock.Now = host.Clock.Now.AddDays(30);
        var id = await Registered(host, caseId);
        await host.Call(Management, "POST", $"/v1/complaints/{id}/treatment", TakeUp);
        var answer = new { answer = "Sloeringen er ophaevet", outcome = "COMPLAINT_OUTCOME_LIFTED" };
        Assert.Equal("SLR-227", (await host.Call(Management, "POST", $"/v1/complaints/{id}/answer", answer)).Code);

        Assert.Equal(Words, (await host.Call(HospitalLeader, "GET", $"/v1/complaints/{id}"))["text"].GetString());
        var lifted = await host.Call(HospitalLeader, "POST", $"/v1/cases/{caseId}/decision", lift);

        Assert.Equal("CASE_STATE_LIFTED", lifted["summary"].GetProperty("state").GetString());
        Assert.Equal(["uphold", "lift"], lifted.List("decisions").Select(step => step.GetProperty("kind").GetString()));
        Assert.Equal("lifted", (await host.Events()).OfType<ApprovalDecided>().Last().Decision);
        Assert.Empty(await host.Pending(caseId));
        Assert.Equal("COMPLAINT_STATE_ANSWERED", (await host.Call(Management, "POST", $"/v1/complaints/{id}/answer", answer))["summary"].GetProperty("state").GetString());
    }

    // C3
    [Fact]
    public async Task Of_two_at_once_the_second_is_told_and_what_is_closed_stays()
    {
        await using var host = await Start();
        var caseId = await host.OpenCase();
        var id = await Registered(host, caseId);
        var answer = new { answer = "Nej", outcome = "COMPLAINT_OUTCOME_NOT_UPHELD" };
        Assert.Equal("SLR-223", (await host.Call(Management, "POST", $"/v1/complaints/{id}/answer", answer)).Code);
        var both = await Task.WhenAll(host.Call(Management, "POST", $"/v1/complaints/{id}/treatment", TakeUp), host.Call(Overseer, "POST", $"/v1/complaints/{id}/treatment", TakeUp));
        Assert.Equal("SLR-222", Assert.Single(both, taken => taken.Status != HttpStatusCode.OK).Code);
        both = await Task.WhenAll(host.Call(Management, "POST", $"/v1/complaints/{id}/answer", answer), host.Call(Overseer, "POST", $"/v1/complaints/{id}/answer", answer));
        Assert.Equal("SLR-224", Assert.Single(both, answered => answered.Status != HttpStatusCode.OK).Code);
        Assert.Equal("SLR-224", (await host.Call(Management, "POST", $"/v1/complaints/{id}/treatment", Withdraw)).Code);

        var other = await Registered(host, caseId);
        Assert.Equal("COMPLAINT_STATE_WITHDRAWN", (await host.Call(Management, "POST", $"/v1/complaints/{other}/treatment", Withdraw))["summary"].GetProperty("state").GetString());
        Assert.Equal("SLR-224", (await host.Call(Management, "POST", $"/v1/complaints/{other}/treatment", TakeUp)).Code);
    }

    // C3
    [Fact]
    public async Task Sent_twice_it_is_registered_once_and_its_id_serves_no_other()
    {
        await using var host = await Start();
        var caseId = await host.OpenCase();
        var complaint = Complaint(host, caseId);
        var first = await host.Call(Management, "POST", "/v1/complaints", complaint);
        Assert.Equal(first.Text, (await host.Call(Management, "POST", "/v1/complaints", complaint)).Text);
        Assert.Equal("SLR-221", (await host.Call(Management, "POST", "/v1/complaints", complaint with { text = "Noget andet" })).Code);
        Assert.Single((await host.Events()).OfType<ComplaintChanged>());
        Assert.Single((await host.Call(Overseer, "GET", "/v1/complaints")).List("complaints"));
    }

    // C3, O3
    [Fact]
    public async Task Another_organisations_complaint_is_not_found_and_only_those_concerned_read_one()
    {
        await using var host = await Start();
        var caseId = await host.OpenCase();
        var id = await Registered(host, caseId);
        Assert.Equal("SLR-201", (await host.Call(Stranger, "POST", "/v1/complaints", Complaint(host, caseId))).Code);
        Assert.Equal("SLR-217", (await host.Call(Stranger, "GET", $"/v1/complaints/{id}")).Code);
        Assert.Equal("SLR-217", (await host.Call(Stranger, "POST", $"/v1/complaints/{id}/treatment", TakeUp)).Code);
        Assert.Equal("SLR-217", (await host.Call(Stranger, "POST", $"/v1/complaints/{id}/answer", new { answer = "x", outcome = "COMPLAINT_OUTCOME_UPHELD" })).Code);
        Assert.Empty((await host.Call(Stranger, "GET", "/v1/complaints")).List("complaints"));
        Assert.Equal("SLR-202", (await host.Call(DepartmentLeader, "GET", $"/v1/complaints/{id}")).Code);
        Assert.Equal("SLR-902", (await host.Call(Nurse, "GET", $"/v1/complaints/{id}")).Code);
        Assert.Equal("SLR-902", (await host.Call(HospitalLeader, "GET", "/v1/complaints")).Code);
        Assert.Equal("SLR-902", (await host.Call(HospitalLeader, "POST", $"/v1/complaints/{id}/treatment", TakeUp)).Code);
        Assert.Empty((await host.Events()).OfType<MaskingRead>());

        await host.Call(Management, "GET", $"/v1/complaints/{id}");
        var read = Assert.Single((await host.Events()).OfType<MaskingRead>());
        Assert.Equal(("GetComplaint", id, "hospital-management"), (read.Operation, read.About, read.Role));
        Assert.NotNull(read.PatientKey);
    }

    // C3
    [Fact]
    public async Task A_complaint_that_comes_late_is_kept_with_its_case_until_it_is_closed_and_for_the_retention_after()
    {
        await using var host = await Start(("Retention:CaseYears", "1"));
        var (answered, withdrawn, none) = (await host.OpenCase(), await host.OpenCase(), await host.OpenCase());
        foreach (var caseId in (string[])[answered, withdrawn, none])
            await host.Publish(new RegistrationEnded { MaskingId = caseId, PatientKey = host.Activation().PatientKey, Cvr = Cvr, Cause = "expired", EndedAt = host.Clock.Now, EndedBy = "clock" });
        host.Clock.Now = host.Clock.Now.AddDays(360);
        var (underTreatment, received) = (await Registered(host, answered), await Registered(host, withdrawn));
        await host.Call(Management, "POST", $"/v1/complaints/{underTreatment}/treatment", TakeUp);

        host.Clock.Now = host.Clock.Now.AddDays(10);
        await host.Erase();
        Assert.Equal("SLR-201", (await host.Call(HospitalLeader, "GET", $"/v1/cases/{none}")).Code);
        Assert.Equal(Words, (await host.Call(Management, "GET", $"/v1/complaints/{underTreatment}"))["text"].GetString());
        Assert.Equal(HttpStatusCode.OK, (await host.Call(HospitalLeader, "GET", $"/v1/cases/{answered}")).Status);
        var answer = new { answer = "Vi har set paa det", outcome = "COMPLAINT_OUTCOME_NOT_UPHELD" };
        Assert.Equal(HttpStatusCode.OK, (await host.Call(Management, "POST", $"/v1/complaints/{underTreatment}/answer", answer)).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.Call(Management, "POST", $"/v1/complaints/{received}/treatment", Withdraw)).Status);

        host.Clock.Now = host.Clock.Now.AddDays(360);
        await host.Erase();
        foreach (var complaint in (string[])[underTreatment, received])
            Assert.Equal(HttpStatusCode.OK, (await host.Call(Management, "GET", $"/v1/complaints/{complaint}")).Status);

        host.Clock.Now = host.Clock.Now.AddDays(10);
        await host.Erase();
        foreach (var complaint in (string[])[underTreatment, received])
            Assert.Equal("SLR-217", (await host.Call(Management, "GET", $"/v1/complaints/{complaint}")).Code);
        Assert.Equal("SLR-201", (await host.Call(HospitalLeader, "GET", $"/v1/cases/{answered}")).Code);
    }

    [Fact]
    public async Task Pages_hold_every_complaint_once_the_open_ones_first_and_no_text()
    {
        await using var host = await Start();
        var caseId = await host.OpenCase();
        var ids = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            ids.Add(await Registered(host, caseId));
            host.Clock.Now = host.Clock.Now.AddMinutes(1);
        }
        foreach (var closed in (int[])[1, 4])
        {
            await host.Call(Management, "POST", $"/v1/complaints/{ids[closed]}/treatment", Withdraw);
            host.Clock.Now = host.Clock.Now.AddMinutes(1);
        }
        foreach (var size in (int[])[1, 2, 4, 5, 50])
        {
            var (seen, token) = (new List<string>(), "");
            do
            {
                var page = await host.Call(Overseer, "GET", $"/v1/complaints?page_size={size}&page_token={token}");
                Assert.DoesNotContain(Words, page.Text, StringComparison.Ordinal);
                seen.AddRange(page.List("complaints").Select(c => c.GetProperty("complaintId").GetString()!));
                token = page.Json.TryGetProperty("nextPageToken", out var next) ? next.GetString()! : "";
            }
            while (token.Length > 0);
            Assert.Equal((string[])[ids[0], ids[2], ids[3], ids[5], ids[4], ids[1]], seen);
        }
    }

    [Fact]
    public async Task Complaint_and_answer_are_sealed_at_rest()
    {
        await using var host = await Start();
        var id = await Registered(host, await host.OpenCase());
        await host.Call(Management, "POST", $"/v1/complaints/{id}/treatment", TakeUp);
        await host.Call(Management, "POST", $"/v1/complaints/{id}/answer", new { answer = "Personalet har ret", outcome = "COMPLAINT_OUTCOME_NOT_UPHELD" });
        var kept = await TestDatabase.Kept(host.Folder);
        Assert.Contains(kept, file => file.Value.AsSpan().IndexOf(Encoding.UTF8.GetBytes(id)) >= 0);
        foreach (var secret in (string[])[Words, "Personalet har ret"])
            Assert.All(kept, file => Assert.True(file.Value.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, $"{file.Key} holds a text"));
    }

    private sealed record NewComplaint(string complaintId, string caseId, string text, string receivedOn, string complainant);

    private static NewComplaint Complaint(ApprovalHost host, string caseId) =>
        new(Guid.NewGuid().ToString("D"), caseId, Words, host.Clock.Now.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), "COMPLAINANT_PATIENT");

    private static async Task<string> Registered(ApprovalHost host, string caseId)
    {
        var answer = await host.Call(Management, "POST", "/v1/complaints", Complaint(host, caseId));
        Assert.Equal((HttpStatusCode.OK, "COMPLAINT_STATE_RECEIVED"), (answer.Status, answer["summary"].GetProperty("state").GetString()));
        return answer["summary"].GetProperty("complaintId").GetString()!;
    }
}
