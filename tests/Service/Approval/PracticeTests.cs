using System.Net;
using Sloring.Contracts.Events;
using Xunit;
using static Sloring.Tests.Service.Approval.ApprovalHost;

namespace Sloring.Tests.Service.Approval;

/// <summary>What the region chooses of its practice while the platform runs (rules A1, A2, A7, A8, A9).</summary>
public sealed class PracticeTests
{
    private static readonly Person Management = new("manager-1", Cvr, ["hospital-management"], Hospital);
    private static readonly Person Stranger = new("region-9", OtherCvr, ["region"], "2000011000016003");

    // A1, A2, A8, A9
    [Fact]
    public async Task A_choice_holds_for_new_cases_at_once_and_running_ones_keep_what_they_got()
    {
        await using var host = await Start(($"Approval:Organisations:{Cvr}:ExpiryNoticeDays", "20"));
        var before = await host.OpenCase();
        var told = (await host.Pending(before)).Single(deadline => deadline.Kind == DeadlineKinds.ExpiryNotice).DueAt;

        var changed = await host.Call(Overseer, "POST", "/v1/practice", new
        {
            version = 0,
            chosen = new { approvalLevel = "department", decisionWorkingDays = 3, expiryNoticeDays = 5, extraNonWorkingDays = new { days = (string[])["01-06"] } },
        });

        Assert.Equal(HttpStatusCode.OK, changed.Status);
        var after = await host.OpenCase(supersedes: before);
        var (old, next) = (await host.Row(before), await host.Row(after));
        Assert.Equal((Hospital, At("2026-01-14T23:00Z"), told), (old.LevelUnitSorId, old.DecisionDue, old.RenewalFrom));
        // Monday; Tuesday is a day off, so Friday is the third working day.
        Assert.Equal((Department, At("2026-01-09T23:00Z")), (next.LevelUnitSorId, next.DecisionDue));
        Assert.Equal(next.EndsAt.AddDays(-5), (await host.Pending(after)).Single(deadline => deadline.Kind == DeadlineKinds.ExpiryNotice).DueAt, TimeSpan.FromHours(1));
        Assert.Equal(next.RenewalFrom, (await host.Pending(after)).Single(deadline => deadline.Kind == DeadlineKinds.ExpiryNotice).DueAt);
    }

    // A9: the notice goes out 10 days before the end, as it was set; so long before it may be renewed.
    [Fact]
    public async Task A_running_case_may_be_renewed_from_the_notice_that_it_got()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_UPHOLD" });
        await host.Call(Overseer, "POST", "/v1/practice", new { chosen = new { expiryNoticeDays = 2 } });
        await host.Reach(id, DeadlineKinds.ExpiryNotice);
        Assert.Equal(HttpStatusCode.OK, (await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/renewal", new { reason = "Truer fortsat" })).Status);
        var renewed = await host.Row(id);
        Assert.Equal(renewed.EndsAt.AddDays(-2), renewed.RenewalFrom!.Value, TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task It_says_where_each_value_comes_from_and_who_changed_what()
    {
        await using var host = await Start(("Approval:DecisionWorkingDays", "9"), ($"Approval:Organisations:{Cvr}:ExtraNonWorkingDays:0", "06-05"));
        var first = await host.Call(Management, "GET", "/v1/practice");
        Assert.Equal(
            ("hospital", "PRACTICE_SOURCE_DEFAULT", 9, "PRACTICE_SOURCE_CONFIGURATION", "PRACTICE_SOURCE_CONFIGURATION"),
            (first["holds"].GetProperty("approvalLevel").GetString(), first["approvalLevelFrom"].GetString(), first["holds"].GetProperty("decisionWorkingDays").GetInt32(), first["decisionWorkingDaysFrom"].GetString(),
                first["extraNonWorkingDaysFrom"].GetString()));
        Assert.Empty(first.List("changes"));

        await host.Call(Overseer, "POST", "/v1/practice", new { version = 0, chosen = new { approvalLevel = "region", mayDecideOwn = true } });
        var last = await host.Call(RegionLeader, "POST", "/v1/practice", new { version = 1, chosen = new { approvalLevel = "department", extraNonWorkingDays = new { } } });

        Assert.Equal((2, "department", "PRACTICE_SOURCE_CHOSEN"), (last["version"].GetInt32(), last["holds"].GetProperty("approvalLevel").GetString(), last["approvalLevelFrom"].GetString()));
        Assert.Equal(("PRACTICE_SOURCE_DEFAULT", "PRACTICE_SOURCE_CHOSEN"), (last["mayDecideOwnFrom"].GetString(), last["extraNonWorkingDaysFrom"].GetString()));
        Assert.False(last["holds"].GetProperty("extraNonWorkingDays").TryGetProperty("days", out _));
        Assert.Equal("06-05", last["configured"].GetProperty("extraNonWorkingDays").GetProperty("days")[0].GetString());
        var changes = last.List("changes");
        Assert.Equal([RegionLeader.Id, Overseer.Id], changes.Select(change => change.GetProperty("changedBy").GetString()));
        Assert.Equal(
            [("approval-level", "region", "department"), ("may-decide-own", "true", null), ("extra-non-working-days", null, "")],
            changes[0].GetProperty("differences").EnumerateArray().Select(d => (d.GetProperty("setting").GetString(), Text(d, "from"), Text(d, "to"))));
        Assert.Equal(
            [("approval-level", null, "region", Overseer.Id), ("may-decide-own", null, "true", Overseer.Id), ("approval-level", "region", "department", RegionLeader.Id), ("may-decide-own", "true", null, RegionLeader.Id),
                ("extra-non-working-days", null, "", RegionLeader.Id)],
            (await host.Events()).OfType<PracticeChanged>().Select(e => (e.Setting, e.From, e.To, e.By)));
        Assert.True((await host.Store.Verify(TestContext.Current.CancellationToken)).Intact);

        static string? Text(System.Text.Json.JsonElement of, string name) => of.TryGetProperty(name, out var text) ? text.GetString() : null;
    }

    [Fact]
    public async Task Of_two_at_once_the_second_is_told_and_the_same_twice_is_one_change()
    {
        await using var host = await Start();
        object Choice(int days) => new { version = 0, chosen = new { decisionWorkingDays = days } };
        var both = await Task.WhenAll(host.Call(Overseer, "POST", "/v1/practice", Choice(5)), host.Call(RegionLeader, "POST", "/v1/practice", Choice(6)));
        Assert.Equal("SLR-228", Assert.Single(both, answer => answer.Status != HttpStatusCode.OK).Code);
        var won = Assert.Single(both, answer => answer.Status == HttpStatusCode.OK);
        Assert.Equal(won.Text, (await host.Call(Overseer, "POST", "/v1/practice", Choice(won["holds"].GetProperty("decisionWorkingDays").GetInt32()))).Text);
        Assert.Single((await host.Events()).OfType<PracticeChanged>());
    }

    [Fact]
    public async Task Only_the_region_changes_it_and_only_its_own()
    {
        await using var host = await Start();
        var body = new { version = 0, chosen = new { approvalLevel = "region" } };
        Assert.Equal("SLR-902", (await host.Call(Management, "POST", "/v1/practice", body)).Code);
        Assert.Equal("SLR-902", (await host.Call(HospitalLeader, "GET", "/v1/practice")).Code);
        Assert.Equal(HttpStatusCode.OK, (await host.Call(Stranger, "POST", "/v1/practice", body)).Status);
        Assert.Equal(Hospital, (await host.Row(await host.OpenCase())).LevelUnitSorId);
        Assert.Equal("hospital", (await host.Call(Overseer, "GET", "/v1/practice"))["holds"].GetProperty("approvalLevel").GetString());
    }

    // A7
    [Fact]
    public async Task That_people_may_decide_on_their_own_activation_holds_at_once()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        var own = HospitalLeader with { Id = Nurse.Id };
        Assert.Equal("SLR-203", (await host.Call(own, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_UPHOLD" })).Code);
        await host.Call(Overseer, "POST", "/v1/practice", new { chosen = new { mayDecideOwn = true } });
        Assert.Equal(HttpStatusCode.OK, (await host.Call(own, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_UPHOLD" })).Status);
    }
}
