using System.Net;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Service.Approval.ApprovalHost;

namespace Sloring.Tests.Service.Approval;

/// <summary>From activation to decision, as the people of one organisation meet it.</summary>
public sealed class CaseTests
{
    private static readonly object Uphold = new { decision = "DECISION_UPHOLD" };
    private static readonly object Lift = new { decision = "DECISION_LIFT", reason = "Uberettiget" };

    // A1
    [Fact]
    public async Task An_activation_opens_a_case_at_the_chosen_level_and_tells_it_with_the_reason()
    {
        await using var host = await Start();
        var id = await host.OpenCase(reason: "Slog ud efter en sygeplejerske");

        var listed = Assert.Single((await host.Call(HospitalLeader, "GET", "/v1/cases")).List("cases"));
        Assert.Equal(id, listed.GetProperty("caseId").GetString());
        Assert.Equal(Hospital, listed.GetProperty("levelUnitSorId").GetString());
        Assert.Equal(7, listed.GetProperty("workingDaysLeft").GetInt32());
        Assert.Equal("2026-01-14T23:00:00Z", listed.GetProperty("decisionDue").GetString());
        Assert.Empty((await host.Call(DepartmentLeader, "GET", "/v1/cases")).List("cases"));

        var seen = await host.Call(HospitalLeader, "GET", $"/v1/cases/{id}");
        Assert.Equal(Cpr, seen["patientCpr"].GetString());
        Assert.Equal("Slog ud efter en sygeplejerske", seen["reason"].GetString());
        Assert.Equal(["leader-told"], await Notices(host, HospitalLeader));
        Assert.Empty(await Notices(host, DepartmentLeader));
    }

    [Theory]
    [InlineData("department", Section, Department)]
    [InlineData("hospital", Section, Hospital)]
    [InlineData("region", Section, Region)]
    [InlineData("department", null, Region)] // unknown unit: the top
    [InlineData("department", "2000011000016003", Region)] // a unit of another organisation: the top of one's own
    public async Task The_level_is_what_the_organisation_chose_A1(string level, string? unit, string expected)
    {
        await using var host = await Start(("Approval:ApprovalLevel", "region"), ($"Approval:Organisations:{Cvr}:ApprovalLevel", level));
        Assert.Equal(expected, (await host.Row(await host.OpenCase(unit: unit))).LevelUnitSorId);
    }

    // A5, A7
    [Fact]
    public async Task A_leader_of_the_level_upholds_and_nobody_decides_twice()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        Assert.Equal("SLR-202", (await host.Call(DepartmentLeader, "POST", $"/v1/cases/{id}/decision", Uphold)).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Call(Nurse, "POST", $"/v1/cases/{id}/decision", Uphold)).Status);

        var decided = await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Uphold);
        Assert.Equal("CASE_STATE_UPHELD", decided["summary"].GetProperty("state").GetString());
        var step = Assert.Single(decided.List("decisions"));
        Assert.Equal(("uphold", HospitalLeader.Id), (step.GetProperty("kind").GetString(), step.GetProperty("decidedBy").GetString()));
        Assert.Equal("SLR-205", (await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Lift)).Code);
        Assert.Equal([DeadlineKinds.ExpiryNotice], (await host.Pending(id)).Select(deadline => deadline.Kind));
    }

    [Fact]
    public async Task A_lift_needs_a_reason_is_told_to_the_activator_and_stands_in_the_journal_A5_O3()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        Assert.Equal("SLR-207", (await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_LIFT", reason = " " })).Code);
        Assert.Equal("SLR-215", (await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", new { reason = "x" })).Code);
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Lift);

        var decided = Assert.Single((await host.Events()).OfType<ApprovalDecided>());
        Assert.Equal((id, "lifted", HospitalLeader.Id), (decided.CaseId, decided.Decision, decided.DecidedBy));
        Assert.Equal(["lifted"], await Notices(host, Nurse));
        Assert.Empty(await host.Pending(id));
        // Registration's own report changes nothing and tells nobody twice.
        await host.Publish(Ended(id, host, "lifted"));
        Assert.Equal("CASE_STATE_LIFTED", await State(host, id));
        Assert.Equal(["lifted"], await Notices(host, Nurse));
    }

    [Fact]
    public async Task Nobody_decides_on_the_own_activation_unless_the_organisation_allows_it_A7()
    {
        var nurseWhoLeads = new Person(Nurse.Id, Cvr, ["leader"], Hospital);
        await using var host = await Start();
        Assert.Equal("SLR-203", (await host.Call(nurseWhoLeads, "POST", $"/v1/cases/{await host.OpenCase()}/decision", Uphold)).Code);
        await using var lenient = await Start(($"Approval:Organisations:{Cvr}:MayDecideOwn", "true"));
        Assert.Equal(HttpStatusCode.OK, (await lenient.Call(nurseWhoLeads, "POST", $"/v1/cases/{await lenient.OpenCase()}/decision", Uphold)).Status);
    }

    [Fact]
    public async Task Another_organisation_finds_nothing()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        Assert.Empty((await host.Call(StrangerLeader, "GET", "/v1/cases")).List("cases"));
        Assert.Empty(await Notices(host, StrangerLeader));
        Assert.Equal("SLR-201", (await host.Call(StrangerLeader, "GET", $"/v1/cases/{id}")).Code);
        Assert.Equal("SLR-201", (await host.Call(StrangerLeader, "POST", $"/v1/cases/{id}/decision", Lift)).Code);
        Assert.Equal("SLR-201", (await host.Call(StrangerLeader, "POST", $"/v1/cases/{id}/renewal", new { reason = "x" })).Code);
        Assert.Equal("SLR-201", (await host.Call(StrangerLeader, "POST", $"/v1/cases/{id}/questions/1/answer", new { text = "x" })).Code);
        Assert.Equal("SLR-914", (await host.Call(HospitalLeader, "GET", "/v1/cases/nothing")).Code);
        Assert.Equal("CASE_STATE_OPEN", await State(host, id));
    }

    [Fact]
    public async Task The_region_lists_all_cases_but_does_not_open_or_decide_them()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        Assert.Single((await host.Call(Overseer, "GET", "/v1/cases")).List("cases"));
        Assert.Single((await host.Call(RegionLeader, "GET", "/v1/cases")).List("cases"));
        Assert.Equal("SLR-202", (await host.Call(RegionLeader, "GET", $"/v1/cases/{id}")).Code);
        Assert.Equal("SLR-202", (await host.Call(RegionLeader, "POST", $"/v1/cases/{id}/decision", Uphold)).Code);
    }

    // O3
    [Fact]
    public async Task Reading_a_case_leaves_an_audit_entry_and_a_refused_read_shows_nothing()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        await host.Call(HospitalLeader, "GET", $"/v1/cases/{id}");
        await host.Call(DepartmentLeader, "GET", $"/v1/cases/{id}");
        var read = Assert.Single((await host.Events()).OfType<MaskingRead>());
        Assert.Equal(("GetCase", id), (read.Operation, read.About));
        Assert.NotNull(read.PatientKey);
        Assert.True((await host.Store.Verify(TestContext.Current.CancellationToken)).Intact);
    }

    // A1, O3
    [Fact]
    public async Task What_may_not_be_read_is_said_so_in_lists_and_history()
    {
        await using var host = await Start();
        var first = await host.OpenCase();
        Assert.True(Assert.Single((await host.Call(HospitalLeader, "GET", "/v1/cases")).List("cases")).GetProperty("readable").GetBoolean());
        foreach (var onlyLists in (Person[])[Overseer, RegionLeader])
            Assert.False(Assert.Single((await host.Call(onlyLists, "GET", "/v1/cases")).List("cases")).TryGetProperty("readable", out _));

        await host.Call(HospitalLeader, "POST", $"/v1/cases/{first}/decision", Uphold);
        await host.Reach(first, "expiry-notice");
        foreach (var (person, readable) in ((Person, bool)[])[(HospitalLeader, true), (HospitalLeader with { Unit = Department }, false)])
        {
            var notice = (await host.Call(person, "GET", "/v1/notices")).List("notices").First(notice => notice.GetProperty("kind").GetString() == "expiry-notice");
            Assert.Equal(readable, notice.TryGetProperty("readable", out var may) && may.GetBoolean());
        }

        var byAnother = host.Activation() with { ActivatedBy = "nurse-2" };
        await host.Publish(byAnother);
        var second = byAnother.MaskingId;
        var seen = await host.Call(HospitalLeader, "GET", $"/v1/cases/{second}");
        Assert.Equal([first], Ids(seen, "historyCaseIds"));
        Assert.Equal([first], Ids(seen, "readableHistoryCaseIds"));
        var byNurse = await host.Call(Nurse, "GET", $"/v1/cases/{first}");
        Assert.Equal([second], Ids(byNurse, "historyCaseIds"));
        Assert.Empty(Ids(byNurse, "readableHistoryCaseIds"));

        static string[] Ids(Answered answer, string list) => [.. answer.List(list).Select(id => id.GetString()!)];
    }

    // A1, A3
    [Fact]
    public async Task A_levels_list_has_its_own_and_the_escalated_in_one_order_page_by_page()
    {
        await using var host = await Start();
        var leader = new Person("leader-9", Cvr, ["leader"], Region);
        var escalated = await host.OpenCase();
        var own = new List<string> { await host.OpenCase(unit: Region) };
        await host.Reach(escalated, "decision-overdue");
        own.Add(await host.OpenCase(unit: Region));
        await host.OpenCase();

        var listed = new List<string>();
        var after = "";
        do
        {
            var page = await host.Call(leader, "GET", $"/v1/cases?page_size=1&page_token={Uri.EscapeDataString(after)}");
            listed.Add(Assert.Single(page.List("cases")).GetProperty("caseId").GetString()!);
            after = page.Json.TryGetProperty("nextPageToken", out var next) ? next.GetString()! : "";
        }
        while (after.Length > 0);

        string[] overdue = [.. new[] { escalated, own[0] }.Order(StringComparer.Ordinal)];
        Assert.Equal([.. overdue, own[1]], listed);
        Assert.Equal(overdue, (await host.Call(leader, "GET", "/v1/cases?overdue_only=true")).List("cases").Select(c => c.GetProperty("caseId").GetString()!));
    }

    // A1
    [Fact]
    public async Task Those_who_watch_one_list_are_told_the_same_and_others_their_own()
    {
        await using var host = await Start();
        await host.OpenCase();
        using var channel = GrpcChannel.ForAddress(host.Grpc);
        var approval = new ApprovalService.ApprovalServiceClient(channel);
        Person[] watching = [HospitalLeader, HospitalLeader with { Id = "leader-8" }, DepartmentLeader, Overseer];
        var streams = watching.Select(person => approval.WatchCaseCounts(new WatchCaseCountsRequest(), host.As(person)).ResponseStream).ToList();
        async Task<string> Next(params int[] of)
        {
            foreach (var i in of)
                Assert.True(await streams[i].MoveNext(TestContext.Current.CancellationToken).WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken));
            return string.Join(' ', of.Select(i => streams[i].Current.Open));
        }

        Assert.Equal("1 1 0 1", await Next(0, 1, 2, 3));
        await host.OpenCase();
        Assert.Equal("2 2 2", await Next(0, 1, 3));
    }

    // O3
    [Fact]
    public async Task How_a_case_stands_is_told_to_whom_may_read_it_and_leaves_no_audit_entry()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        using var channel = GrpcChannel.ForAddress(host.Grpc);
        var approval = new ApprovalService.ApprovalServiceClient(channel);
        async Task<CaseSummary> State(Person person, string of) => await approval.GetCaseStateAsync(new GetCaseStateRequest { CaseId = of }, host.As(person));

        Assert.Equal(CaseState.Open, (await State(HospitalLeader, id)).State);
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Uphold);
        var after = await State(Nurse, id);
        Assert.Equal((id, CaseState.Upheld, true), (after.CaseId, after.State, after.Readable));

        Assert.Empty((await host.Events()).OfType<MaskingRead>());
        foreach (var (person, of, code) in ((Person, string, string)[])[(RegionLeader, id, "SLR-202"), (StrangerLeader, id, "SLR-201"), (Overseer, id, "SLR-902"), (HospitalLeader, "x", "SLR-9")])
            Assert.StartsWith(code, RejectionWriter.FromRpc(await Assert.ThrowsAsync<RpcException>(() => State(person, of)))!.Code);
    }

    // A6
    [Fact]
    public async Task Question_and_answer_are_part_of_the_case()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        Assert.Equal("SLR-212", (await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/questions", new { text = "" })).Code);
        Assert.Equal("SLR-202", (await host.Call(DepartmentLeader, "POST", $"/v1/cases/{id}/questions", new { text = "Hvem så det?" })).Code);
        var asked = await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/questions", new { text = "Hvem så det?" });
        Assert.True(asked["summary"].GetProperty("awaitsAnswer").GetBoolean());
        Assert.Equal(["question"], await Notices(host, Nurse));
        Assert.Equal("Hvem så det?", (await host.Call(Nurse, "GET", $"/v1/cases/{id}"))["questions"][0].GetProperty("text").GetString());

        var colleague = Nurse with { Id = "nurse-2" };
        Assert.Equal("SLR-201", (await host.Call(colleague, "POST", $"/v1/cases/{id}/questions/1/answer", new { text = "Mig" })).Code);
        Assert.Equal("SLR-213", (await host.Call(Nurse, "POST", $"/v1/cases/{id}/questions/2/answer", new { text = "Mig" })).Code);
        var answered = await host.Call(Nurse, "POST", $"/v1/cases/{id}/questions/1/answer", new { text = "Hele vagten" });
        Assert.Equal("Hele vagten", answered["questions"][0].GetProperty("answer").GetString());
        Assert.False(answered["summary"].TryGetProperty("awaitsAnswer", out _));
        Assert.Equal("SLR-214", (await host.Call(Nurse, "POST", $"/v1/cases/{id}/questions/1/answer", new { text = "Igen" })).Code);
        Assert.Contains("answer", await Notices(host, HospitalLeader));
        Assert.Equal(["question", "answer"], (await host.Events()).OfType<CaseNoted>().Select(noted => noted.Kind));
    }

    // M7
    [Fact]
    public async Task New_behaviour_opens_a_new_case_and_closes_the_old_one()
    {
        await using var host = await Start();
        var old = await host.OpenCase();
        var next = await host.OpenCase(reason: "Kom igen", supersedes: old);
        Assert.Equal("SLR-206", (await host.Call(HospitalLeader, "POST", $"/v1/cases/{old}/decision", Uphold)).Code);
        Assert.Empty(await host.Pending(old));
        Assert.Equal("CASE_STATE_SUPERSEDED", await State(host, old));
        Assert.Equal([old], (await host.Call(HospitalLeader, "GET", $"/v1/cases/{next}")).List("historyCaseIds").Select(id => id.GetString()));
        var open = Assert.Single((await host.Call(HospitalLeader, "GET", "/v1/cases")).List("cases"));
        Assert.Equal(next, open.GetProperty("caseId").GetString());
    }

    [Theory]
    [InlineData("ended", "CASE_STATE_ENDED")]
    [InlineData("expired", "CASE_STATE_EXPIRED")]
    public async Task The_case_of_an_ended_masking_is_closed_and_the_activator_told(string cause, string state)
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        host.Clock.Now = host.Clock.Now.AddDays(100);
        await host.Publish(Ended(id, host, cause));
        Assert.Equal(state, await State(host, id));
        Assert.Empty(await host.Pending(id));
        Assert.Equal(["ended"], await Notices(host, Nurse));
        Assert.Equal("SLR-206", (await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", Uphold)).Code);
    }

    [Fact]
    public async Task A_masking_past_its_end_is_expired_before_anybody_says_so_M6()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        host.Clock.Now = At("2026-04-05T08:00Z"); // 90 days later, 10:00 summer time
        Assert.Equal("CASE_STATE_EXPIRED", await State(host, id));
        Assert.Empty((await host.Call(HospitalLeader, "GET", "/v1/cases")).List("cases"));
        Assert.Single((await host.Call(HospitalLeader, "GET", "/v1/cases?state=CASE_STATE_EXPIRED")).List("cases"));
    }

    [Fact]
    public async Task Texts_and_CPR_numbers_are_sealed_at_rest()
    {
        await using var host = await Start();
        var id = await host.OpenCase(reason: "Kvalte naesten en kollega");
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/questions", new { text = "Hvornaar skete det" });
        await host.Call(Nurse, "POST", $"/v1/cases/{id}/questions/1/answer", new { text = "Natten til tirsdag" });
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_LIFT", reason = "Ikke godtgjort" });
        foreach (var file in Directory.GetFiles(host.Folder, "approval.db*"))
        {
            using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(open, Encoding.Latin1);
            var content = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
            foreach (var secret in (string[])[Cpr, "Kvalte", "Hvornaar", "Natten til", "godtgjort"])
                Assert.DoesNotContain(secret, content, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Pages_hold_every_case_once_most_urgent_first()
    {
        await using var host = await Start();
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await host.OpenCase());
            host.Clock.Now = host.Clock.Now.AddDays(i < 2 ? 0 : 1);
        }
        var (seen, token) = (new List<string>(), "");
        do
        {
            var page = await host.Call(HospitalLeader, "GET", $"/v1/cases?page_size=2&page_token={token}");
            var cases = page.List("cases");
            Assert.InRange(cases.Count, 1, 2);
            seen.AddRange(cases.Select(c => c.GetProperty("caseId").GetString()!));
            token = page.Json.TryGetProperty("nextPageToken", out var next) ? next.GetString()! : "";
        }
        while (token.Length > 0);
        Assert.Equal(ids.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        Assert.Equal(ids[3..], seen[3..]);
    }

    [Theory]
    [InlineData("page_size=501")]
    [InlineData("page_size=-1")]
    [InlineData("page_token=x")]
    [InlineData("page_token=%20")]
    [InlineData("page_token=MTIz")]
    [InlineData("page_token=OTk5OTk5OTk5OTk5OTk5OTk5OXwwMTk5YmQ1Yi0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA")]
    public async Task Pages_that_nobody_gave_are_refused(string query)
    {
        await using var host = await Start();
        Assert.Equal("SLR-915", (await host.Call(HospitalLeader, "GET", $"/v1/cases?{query}")).Code);
        Assert.Equal("SLR-915", (await host.Call(HospitalLeader, "GET", $"/v1/notices?{query}")).Code);
    }

    private static RegistrationEnded Ended(string id, ApprovalHost host, string cause) => new()
    {
        MaskingId = id,
        PatientKey = new string('0', 32),
        Cvr = Cvr,
        Cause = cause,
        EndedAt = host.Clock.Now,
        EndedBy = cause == "expired" ? "clock" : HospitalLeader.Id,
    };

    private static async Task<string> State(ApprovalHost host, string id) =>
        (await host.Call(HospitalLeader, "GET", $"/v1/cases/{id}"))["summary"].GetProperty("state").GetString()!;
}
