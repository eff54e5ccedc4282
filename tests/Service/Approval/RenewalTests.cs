using System.Net;
using Grpc.Core;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Service.Approval.ApprovalHost;

namespace Sloring.Tests.Service.Approval;

/// <summary>A further 90 days (rules A8, A9).</summary>
public sealed class RenewalTests
{
    private static readonly object Ground = new { reason = "Fortsatte trusler i marts" };

    [Fact]
    public async Task From_the_expiry_notice_the_level_renews_with_a_reason_of_its_own_A9()
    {
        await using var host = await Start();
        var id = await Upheld(host);
        Assert.Equal("SLR-208", (await Renew(host, id, Ground)).Code);
        await host.Reach(id, DeadlineKinds.ExpiryNotice);
        Assert.Equal("SLR-210", (await Renew(host, id, new { reason = "" })).Code);
        Assert.Equal("SLR-202", (await host.Call(DepartmentLeader, "POST", $"/v1/cases/{id}/renewal", Ground)).Code);

        var renewed = await Renew(host, id, Ground);
        Assert.Equal("2026-07-04T08:00:00Z", renewed["summary"].GetProperty("endsAt").GetString());
        Assert.Equal("2026-06-24T08:00:00Z", renewed["renewalFrom"].GetString());
        Assert.Equal("Fortsatte trusler i marts", renewed["decisions"][1].GetProperty("reason").GetString());
        Assert.Equal(At("2026-04-05T08:00Z"), Assert.Single(host.Registration.Asked).ExtendsEnd.ToDateTimeOffset());
        var next = Assert.Single(await host.Pending(id));
        Assert.Equal((DeadlineKinds.ExpiryNotice, At("2026-06-24T08:00Z")), (next.Kind, next.DueAt));

        // Registration's event of the same renewal changes nothing, even where its instant is finer than a database keeps.
        await host.Publish(Event(id, host) with { EndsAt = At("2026-07-04T08:00Z").AddTicks(7) });
        Assert.Equal(1, (await host.Row(id)).Renewals);
        Assert.Single((await host.Events()).OfType<ApprovalDecided>(), decided => decided.Decision == "renewed");
    }

    [Fact]
    public async Task There_is_no_limit_on_renewals_and_each_gives_notice_anew_A9()
    {
        await using var host = await Start();
        var id = await Upheld(host);
        for (var time = 1; time <= 3; time++)
        {
            await host.Reach(id, DeadlineKinds.ExpiryNotice);
            Assert.Equal(HttpStatusCode.OK, (await Renew(host, id, Ground)).Status);
            Assert.Equal(time, (await host.Row(id)).Renewals);
        }
        Assert.Equal(3, (await host.Events()).OfType<NotificationRequested>().Count(notice => notice.Kind == "expiry-notice"));
    }

    [Fact]
    public async Task A_case_that_is_not_upheld_or_has_ended_is_not_renewed_A9()
    {
        await using var host = await Start();
        var undecided = await host.OpenCase();
        var upheld = await Upheld(host);
        host.Clock.Now = At("2026-04-01T08:00Z");
        Assert.Equal("SLR-211", (await Renew(host, undecided, Ground)).Code);
        host.Clock.Now = At("2026-04-05T08:00Z");
        Assert.Equal("SLR-209", (await Renew(host, upheld, Ground)).Code);
        Assert.Empty(host.Registration.Asked);
    }

    [Fact]
    public async Task Where_Registration_refuses_nothing_is_renewed()
    {
        await using var host = await Start();
        var id = await Upheld(host);
        host.Clock.Now = At("2026-04-01T08:00Z");
        host.Registration.Answers = _ => throw new RejectedException(Rejections.MaskingNotInForce);
        Assert.Equal("SLR-206", (await Renew(host, id, Ground)).Code);
        host.Registration.Answers = _ => throw RejectionWriter.ToRpc(Rejections.Busy);
        Assert.Equal("SLR-909", (await Renew(host, id, Ground)).Code);
        host.Registration.Answers = _ => throw new RpcException(new Status(StatusCode.Internal, "fault"));
        Assert.Equal("SLR-908", (await Renew(host, id, Ground)).Code);
        Assert.Equal(0, (await host.Row(id)).Renewals);
        Assert.DoesNotContain((await host.Events()).OfType<ApprovalDecided>(), decided => decided.Decision == "renewed");
    }

    // The answer is lost after Registration has acted: its event brings the renewal, with the ground that was kept.
    [Fact]
    public async Task A_renewal_whose_answer_is_lost_is_recorded_with_its_ground_A9()
    {
        await using var host = await Start();
        var id = await Upheld(host);
        host.Clock.Now = At("2026-04-01T08:00Z");
        host.Registration.Answers = _ => throw new RpcException(new Status(StatusCode.Unavailable, "gone"));
        Assert.Equal("SLR-909", (await Renew(host, id, Ground)).Code);
        await host.Publish(Event(id, host));

        var seen = await host.Call(HospitalLeader, "GET", $"/v1/cases/{id}");
        Assert.Equal("Fortsatte trusler i marts", seen["decisions"][1].GetProperty("reason").GetString());
        Assert.Equal(HospitalLeader.Id, seen["decisions"][1].GetProperty("decidedBy").GetString());
        Assert.Equal("2026-07-04T08:00:00Z", seen["summary"].GetProperty("endsAt").GetString());
        Assert.Equal(At("2026-06-24T08:00Z"), Assert.Single(await host.Pending(id)).DueAt);
    }

    private static async Task<string> Upheld(ApprovalHost host)
    {
        var id = await host.OpenCase();
        await host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/decision", new { decision = "DECISION_UPHOLD" });
        return id;
    }

    private static Task<Answered> Renew(ApprovalHost host, string id, object body) =>
        host.Call(HospitalLeader, "POST", $"/v1/cases/{id}/renewal", body);

    private static RegistrationRenewed Event(string id, ApprovalHost host) => new()
    {
        MaskingId = id,
        PatientKey = new string('0', 32),
        Cvr = Cvr,
        ExtendedEnd = At("2026-04-05T08:00Z"),
        EndsAt = At("2026-07-04T08:00Z"),
        DecidedBy = HospitalLeader.Id,
        RenewedAt = host.Clock.Now,
    };
}
