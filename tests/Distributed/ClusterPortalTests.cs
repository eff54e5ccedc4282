using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>The portal as a process of its own: people sign in at the cluster's token service, and their calls go through its sidecar.</summary>
[Collection(RunningCluster.Name)]
public sealed class ClusterPortalTests(RunningCluster cluster)
{
    [Fact] // A5, A6, A7
    public async Task Leader_SignsIn_FindsACaseThatWasActivatedOverAmqp_AndDecidesIt()
    {
        var patient = People.NextCpr();
        var id = await cluster.ActivateOverAmqp(patient);
        using var leader = new FormBrowser();

        await leader.SignIn("leder", at: Portal("/cases"));
        Assert.Equal(Portal("/cases"), leader.Address.ToString());
        await Eventually.True(async () => await Shows(leader, "/cases", $"href=\"/case/{id}\""), "the case is on the work list");
        await leader.Open(Portal($"/case/{id}"));
        Assert.Contains(patient, leader.Html, StringComparison.Ordinal);
        await leader.Send("handler=Decide", ("decision", "Uphold"), ("reason", "Sagen er beskrevet og alvorlig."));

        Assert.Contains("Sagen er beskrevet og alvorlig.", leader.Html, StringComparison.Ordinal);
        Assert.True(await Shows(leader, "/cases?state=Upheld", $"href=\"/case/{id}\""));
        Assert.False(await Shows(leader, "/cases", $"href=\"/case/{id}\""));
    }

    [Fact]
    public async Task Session_OutlivesThePortalsProcess_SoThatAnyReplicaServesAnybody()
    {
        using var leader = new FormBrowser();
        await leader.SignIn("leder", at: Portal("/cases"));

        await cluster.StartAgain("portal");

        Assert.True(await Shows(leader, "/cases", "<h1>Arbejdsliste</h1>"));
    }

    [Fact]
    public async Task WhoeverSignsOut_IsAskedAgain()
    {
        using var leader = new FormBrowser();
        await leader.SignIn("leder", at: Portal("/cases"));

        await leader.Send("action=\"/sign-out\"");
        await leader.Open(Portal("/cases"));

        Assert.Contains("name=\"persona\"", leader.Html, StringComparison.Ordinal);
        Assert.StartsWith(cluster.Of("tokens"), leader.Address.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CitizensLog_WithoutSourcesInTheSettings_SaysThatNobodyWasAsked()
    {
        using var citizen = new FormBrowser();

        await citizen.SignIn("borger", at: Portal("/log"));

        Assert.Contains("Ingen datakilder er sat op her", citizen.Html, StringComparison.Ordinal);
    }

    private string Portal(string path) => cluster.Of("portal") + path;

    private async Task<bool> Shows(FormBrowser browser, string path, string text)
    {
        await browser.Open(Portal(path));
        return browser.Html.Contains(text, StringComparison.Ordinal);
    }
}
