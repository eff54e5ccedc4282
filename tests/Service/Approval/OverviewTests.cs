using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Options;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Service.Approval.ApprovalHost;

namespace Sloring.Tests.Service.Approval;

/// <summary>The overview, the gRPC door, and the options.</summary>
public sealed class OverviewTests
{
    // O1, O2
    [Fact]
    public async Task The_overview_counts_and_suppresses_and_names_no_patient()
    {
        await using var host = await Start();
        for (var i = 0; i < 12; i++)
        {
            var id = await host.OpenCase();
            host.Clock.Now = host.Clock.Now.AddHours(1);
            if (i < 6)
                await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_UPHOLD" });
            else if (i < 8)
                await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_LIFT", reason = "x" });
        }
        await host.OpenCase(unit: null);

        var overview = await host.Call(Overseer, "GET", "/v1/overview?from_month=2026-01&to_month=2026-12");
        Assert.Equal(5, overview["smallestCell"].GetInt32());
        var rows = overview.List("rows").ToDictionary(row => row.GetProperty("levelUnitSorId").GetString()!);
        var hospital = rows[Hospital];
        Assert.Equal("2026-01", hospital.GetProperty("month").GetString());
        Assert.Equal("threats", hospital.GetProperty("trigger").GetString());
        Assert.Equal((12, 6), (hospital.GetProperty("activations").GetInt32(), hospital.GetProperty("upheld").GetInt32()));
        Assert.False(hospital.TryGetProperty("lifted", out _));
        Assert.Equal(1, hospital.GetProperty("medianHoursToDecision").GetDouble());
        Assert.False(rows[Region].TryGetProperty("activations", out _));
        Assert.DoesNotContain(Cpr, overview.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Nurse.Id, overview.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_region_sees_its_own_organisation_the_national_level_all_O1()
    {
        await using var host = await Start();
        await host.OpenCase();
        const string Path = "/v1/overview?from_month=2026-01&to_month=2026-01";
        Assert.Empty((await host.Call(StrangerLeader, "GET", Path)).List("rows"));
        Assert.Single((await host.Call(new Person("national-1", null, ["national"], null), "GET", Path)).List("rows"));
        Assert.Equal("SLR-902", (await host.Call(HospitalLeader, "GET", Path)).Code);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("2026-01", "2025-12")]
    [InlineData("2026-01", "2031-02")]
    [InlineData("2026-13", "2026-13")]
    [InlineData("0001-01", "0001-02")]
    [InlineData("9999-12", "9999-12")]
    public async Task A_wrong_period_is_refused(string from, string to)
    {
        await using var host = await Start();
        Assert.Equal("SLR-216", (await host.Call(Overseer, "GET", $"/v1/overview?from_month={from}&to_month={to}")).Code);
    }

    [Fact]
    public async Task The_gRPC_door_opens_to_the_same_rooms()
    {
        await using var host = await Start();
        var id = await host.OpenCase();
        using var channel = GrpcChannel.ForAddress(host.Grpc);
        var client = new ApprovalService.ApprovalServiceClient(channel);
        var leader = new Metadata { { "authorization", "Bearer " + host.Token(HospitalLeader) } };
        var cancel = TestContext.Current.CancellationToken;

        Assert.Equal(id, Assert.Single((await client.ListCasesAsync(new ListCasesRequest(), leader, cancellationToken: cancel)).Cases).CaseId);
        Assert.Equal(Cpr, (await client.GetCaseAsync(new GetCaseRequest { CaseId = id }, leader, cancellationToken: cancel)).PatientCpr);
        Assert.Single((await client.AskAsync(new AskRequest { CaseId = id, Text = "Hvad skete der?" }, leader, cancellationToken: cancel)).Questions);
        var answered = await client.AnswerAsync(new AnswerRequest { CaseId = id, QuestionId = 1, Text = "Det her" }, leader, cancellationToken: cancel);
        Assert.Equal("Det her", Assert.Single(answered.Questions).Answer);
        var lifted = await client.DecideAsync(new DecideRequest { CaseId = id, Decision = Decision.Lift, Reason = "x" }, leader, cancellationToken: cancel);
        Assert.Equal(CaseState.Lifted, lifted.Summary.State);
        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await client.RenewAsync(new RenewCaseRequest { CaseId = id, Reason = "x" }, leader, cancellationToken: cancel));
        Assert.Equal(("SLR-206", StatusCode.FailedPrecondition), (RejectionWriter.FromRpc(refused)?.Code, refused.StatusCode));
        Assert.NotEmpty((await client.ListNoticesAsync(new ListNoticesRequest(), leader, cancellationToken: cancel)).Notices);
        var overseer = new Metadata { { "authorization", "Bearer " + host.Token(Overseer) } };
        var overview = await client.GetOverviewAsync(new GetOverviewRequest { FromMonth = "2026-01", ToMonth = "2026-01" }, overseer, cancellationToken: cancel);
        Assert.False(Assert.Single(overview.Rows).HasActivations);
    }

    [Theory]
    [InlineData("Approval:ApprovalLevel", "ward", "Approval:ApprovalLevel")]
    [InlineData("Approval:ExtraNonWorkingDays:0", "5 juni", "Approval:ExtraNonWorkingDays")]
    [InlineData("Approval:SmallestCell", "2", "Approval:SmallestCell")]
    [InlineData("Approval:DecisionWorkingDays", "0", "Approval:DecisionWorkingDays")]
    [InlineData("Approval:ExpiryNoticeDays", "90", "Approval:ExpiryNoticeDays")]
    [InlineData("Approval:Organisations:29190623:ApprovalLevel", "ward", "Approval:Organisations:29190623:ApprovalLevel")]
    [InlineData("Approval:Organisations:12345678:ApprovalLevel", "region", "Approval:Organisations:12345678 ")]
    public async Task A_wrong_option_stops_the_start_and_the_message_says_what_to_set(string setting, string value, string names)
    {
        var stopped = await Assert.ThrowsAsync<OptionsValidationException>(() => Start((setting, value)));
        Assert.Contains(names, stopped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Days_off_of_one_organisation_move_its_deadlines_A2()
    {
        await using var host = await Start(($"Approval:Organisations:{Cvr}:ExtraNonWorkingDays:0", "01-06"));
        Assert.Equal(At("2026-01-15T23:00Z"), (await host.Row(await host.OpenCase())).DecisionDue);
    }
}
