using System.Net;
using Sloring.Contracts.Events;
using Xunit;
using static Sloring.Tests.Service.Approval.ApprovalHost;

namespace Sloring.Tests.Service.Approval;

/// <summary>What happens to a case when its deadlines are reached.</summary>
public sealed class DeadlineTests
{
    private static readonly object Uphold = new { decision = "DECISION_UPHOLD" };

    // M5
    [Fact]
    public async Task Without_a_reason_the_activator_is_reminded_every_working_day_until_it_is_there()
    {
        await using var host = await Start();
        var id = await host.OpenCase(reason: null);
        Assert.True((await host.Call(HospitalLeader, "GET", $"/v1/cases/{id}"))["summary"].GetProperty("reasonMissing").GetBoolean());
        Assert.Equal("SLR-204", (await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Uphold)).Code);

        string[] due = ["2026-01-06T09:00Z", "2026-01-07T09:00Z", "2026-01-08T09:00Z", "2026-01-09T09:00Z", "2026-01-12T09:00Z"];
        foreach (var day in due)
            Assert.Equal(At(day), (await host.Reach(id, DeadlineKinds.ReasonMissing)).DueAt);
        Assert.Equal(Enumerable.Repeat("reason-missing", due.Length), await Notices(host, Nurse));

        await host.Publish(new RegistrationReasonAdded
        {
            MaskingId = id,
            PatientKey = new string('0', 32),
            SealedReason = host.Sealed("Kastede en stol"),
            AddedBy = Nurse.Id,
            AddedAt = host.Clock.Now,
        });
        Assert.DoesNotContain(await host.Pending(id), deadline => deadline.Kind == DeadlineKinds.ReasonMissing);
        Assert.Equal("Kastede en stol", (await host.Call(HospitalLeader, "GET", $"/v1/cases/{id}"))["reason"].GetString());
        Assert.Equal(HttpStatusCode.OK, (await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Uphold)).Status);
    }

    // A3, A4
    [Fact]
    public async Task The_level_is_reminded_twice_then_the_case_is_escalated_and_nothing_is_lifted()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        Assert.Equal(At("2026-01-12T07:00Z"), (await host.Reach(id, DeadlineKinds.DecisionReminder)).DueAt);
        Assert.Equal(At("2026-01-14T07:00Z"), (await host.Reach(id, DeadlineKinds.DecisionReminder)).DueAt);
        Assert.Equal("SLR-202", (await host.Call(RegionLeader, "GET", $"/v1/cases/{id}")).Code);
        Assert.Empty((await host.Call(HospitalLeader, "GET", "/v1/cases?overdue_only=true")).List("cases"));

        Assert.Equal(At("2026-01-14T23:00Z"), (await host.Reach(id, DeadlineKinds.DecisionOverdue)).DueAt);
        Assert.Equal(["decision-overdue", "decision-reminder", "decision-reminder", "leader-told"], await Notices(host, HospitalLeader));
        Assert.Equal(["decision-overdue"], await Notices(host, RegionLeader));
        var overdue = Assert.Single((await host.Call(HospitalLeader, "GET", "/v1/cases?overdue_only=true")).List("cases"));
        Assert.True(overdue.GetProperty("overdue").GetBoolean());
        Assert.Equal("CASE_STATE_OPEN", overdue.GetProperty("state").GetString());
        Assert.Empty((await host.Events()).OfType<ApprovalDecided>());

        var decided = await host.Call(RegionLeader, "POST", $"/v1/cases/{id}/decision", Uphold);
        Assert.Equal("CASE_STATE_UPHELD", decided["summary"].GetProperty("state").GetString());
        Assert.False(decided["summary"].TryGetProperty("overdue", out _));
    }

    [Fact]
    public async Task At_the_top_an_overdue_case_stays_where_it_is_A3()
    {
        await using var host = await Start(("Approval:ApprovalLevel", "region"));
        var id = await host.OpenCase();
        await host.Reach(id, DeadlineKinds.DecisionOverdue);
        Assert.Null((await host.Row(id)).EscalatedUnitSorId);
        Assert.Equal(["decision-overdue", "leader-told"], await Notices(host, RegionLeader));
    }

    // A8
    [Fact]
    public async Task Ten_days_before_the_end_the_leader_who_upheld_and_the_level_get_notice()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Uphold);
        Assert.Equal(At("2026-03-26T09:00Z"), (await host.Reach(id, DeadlineKinds.ExpiryNotice)).DueAt);

        var movedAway = HospitalLeader with { Unit = Department };
        var successor = HospitalLeader with { Id = "leader-9" };
        Assert.Contains("expiry-notice", await Notices(host, movedAway));
        Assert.Contains("expiry-notice", await Notices(host, successor));
        Assert.DoesNotContain("expiry-notice", await Notices(host, DepartmentLeader));
        // A health worker of that unit leads nothing there.
        Assert.DoesNotContain("expiry-notice", await Notices(host, Nurse with { Unit = Hospital }));
    }

    [Fact]
    public async Task A_deadline_that_was_cancelled_or_has_fired_does_nothing()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        var pending = await host.Pending(id);
        var reached = await host.Reach(id, DeadlineKinds.DecisionReminder);
        await host.Fire(reached);
        await host.Fire(reached with { Owner = "registration" });
        Assert.Single((await host.Events()).OfType<NotificationRequested>(), notice => notice.Kind == "decision-reminder");

        await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Uphold);
        var overdue = pending.Single(deadline => deadline.Kind == DeadlineKinds.DecisionOverdue);
        host.Clock.Now = overdue.DueAt;
        await host.Fire(reached with { DeadlineId = overdue.DeadlineId, Kind = overdue.Kind, DueAt = overdue.DueAt, FiredAt = overdue.DueAt });
        Assert.DoesNotContain((await host.Events()).OfType<NotificationRequested>(), notice => notice.Kind == "decision-overdue");
    }

    [Fact]
    public async Task Events_in_the_wrong_order_are_applied_in_the_right_one()
    {
        await using var host = await Start();
        var first = host.Activation();
        var second = host.Activation(supersedes: first.MaskingId);
        var early = await host.Append<RegistrationJournal>(second);
        await host.Publish(first);
        await host.Applied("registration", early);
        Assert.Equal("CASE_STATE_SUPERSEDED", (await host.Call(HospitalLeader, "GET", $"/v1/cases/{first.MaskingId}"))["summary"].GetProperty("state").GetString());
        Assert.Equal("CASE_STATE_OPEN", (await host.Call(HospitalLeader, "GET", $"/v1/cases/{second.MaskingId}"))["summary"].GetProperty("state").GetString());
    }
}
