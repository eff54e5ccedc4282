using System.Text;
using Microsoft.Extensions.Options;
using Sloring.Contracts.Registration.V1;
using Xunit;

namespace Sloring.Tests.Service.Registration;

/// <summary>What is left behind on disk, in logs and over a restart.</summary>
public sealed class AtRestTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // Security base: CPR numbers and reasons are readable nowhere
    public async Task NothingReadable_IsLeftOnDiskOrInLogs()
    {
        await using var host = new RegistrationHost();
        await host.InitializeAsync();
        var request = Requests.Activation();
        // What a careless sender may put where it does not belong.
        request.IdempotencyKey = request.PatientCpr;
        request.Reason = "Hemmelig-begrundelse";
        var masking = await host.Client.ActivateAsync(request, await host.As("worker"));
        await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PatientCpr = request.PatientCpr }, await host.As("leader"));
        await host.Client.EndAsync(new EndRequest { MaskingId = masking.MaskingId, Reason = "Hemmelig-afslutning" }, await host.As("leader"));
        var nomination = Requests.Nomination("1000101000016003");
        nomination.Grounds.Severity = "Hemmelig-alvor";
        await host.Client.NominateUnitAsync(nomination, await host.As("management"));
        Assert.True((await host.Store.Verify(Cancel)).Intact);
        await host.Stop();
        var kept = await TestDatabase.Kept(host.Folder);
        Assert.Contains(kept, file => file.Key.Contains("registration", StringComparison.Ordinal));

        foreach (var secret in (string[])[request.PatientCpr, "Hemmelig-"])
        {
            Assert.All(kept, file => Assert.False(file.Value.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0, file.Key));
            Assert.DoesNotContain(host.Logs, line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact] // M9, E6
    public async Task Restart_KeepsMaskingsRepeatsAndTheFeed()
    {
        await using var host = new RegistrationHost();
        await host.InitializeAsync();
        var request = Requests.Activation();
        var before = await host.Client.ActivateAsync(request, await host.As("worker"));
        var welcome = await Welcome(host, new WatchMaskingsRequest());
        await host.Stop();
        await host.Start();

        Assert.Equal(before, await host.Client.ActivateAsync(request, await host.As("worker")));
        Assert.True((await Welcome(host, new WatchMaskingsRequest { FeedId = welcome.FeedId, AfterPosition = before.Position })).Resumed);
        Assert.True((await host.Store.Verify(Cancel)).Intact);
    }

    [Theory] // M10
    [InlineData("Registration:LongestDays", "732")]
    [InlineData("Registration:PeriodDays", "91")]
    [InlineData("Registration:UnitReviewAfterDays", "0")]
    [InlineData("Retention:CaseYears", "-1")]
    [InlineData("Retention:JournalYears", "101")]
    [InlineData("Retention:RefusedDays", "36501")]
    [InlineData("Registration:DatedRules:0:InForceFrom", "2026-01-01")]
    public async Task WrongSetting_StopsTheStartAndIsNamed(string key, string value)
    {
        await using var host = new RegistrationHost();
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => host.Start((key, value)));
        Assert.Contains(string.Join(':', key.Split(':').Take(2)), e.Message, StringComparison.Ordinal);
    }

    private static async Task<Welcome> Welcome(RegistrationHost host, WatchMaskingsRequest request)
    {
        using var call = host.Client.WatchMaskings(request, await host.As("effectuation"));
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        return call.ResponseStream.Current.Welcome;
    }
}
