using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Sloring.Contracts;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>The pictures of README: a leader's work list with cases in every stage of urgency, and one of the cases. <c>./test Pictures</c> puts them into docs/pictures.</summary>
public sealed class PictureTests(PortalFixture portal)
{
    [Fact]
    public async Task TheWorkListAndACase()
    {
        await using var platform = await Platform.Start();
        await Activated("Slog en sygeplejerske i skulderen under et tilsyn.", "TRIGGER_VIOLENCE");
        await Pass(days: 6);
        await Activated("", "TRIGGER_THREATS");
        await Pass(days: 2);
        var (_, id) = await Activated("Ringede elleve gange til afsnittet om natten og råbte, at han ved, hvor personalet bor.", "TRIGGER_HARASSMENT");
        await platform.Client.Must("leder", HttpMethod.Post, $"/v1/cases/{id}/questions", new JsonObject { ["text"] = "Har han nævnt nogen ved navn?" }, TestContext.Current.CancellationToken);
        await Pass(days: 4);
        await platform.Client.Must(
            "sygeplejerske", HttpMethod.Post, $"/v1/cases/{id}/questions/1/answer", new JsonObject { ["text"] = "Ja, to kolleger fra nattevagten." }, TestContext.Current.CancellationToken);
        await Activated("Spurgte flere gange, hvornår personalet går hjem, og ventede ved udgangen.", "TRIGGER_FOUNDED_FEAR");
        var leader = await portal.SignIn("leder", at: "/cases", width: 1200, of: platform);

        await Assertions.Expect(leader.Locator("#counts strong").First).ToHaveTextAsync("4");
        await Assertions.Expect(leader.Locator("tbody tr")).ToHaveCountAsync(4);
        await Assertions.Expect(leader.Locator("tbody")).ToContainTextAsync("Begrundelse mangler");
        await leader.SetViewportSizeAsync(1200, 720);
        await PortalFixture.Picture(leader, "readme-work-list", whole: false);

        await leader.GotoAsync($"{platform.HttpAddress}/case/{id}");
        await Assertions.Expect(leader.Locator("main")).ToContainTextAsync("Ja, to kolleger fra nattevagten.");
        await leader.SetViewportSizeAsync(1200, 1700);
        await PortalFixture.Picture(leader, "readme-case", whole: false);

        Task<(string Cpr, string Id)> Activated(string reason, string trigger) =>
            Views.Activated(platform, reason, trigger, DanishTime.DayOf(platform.Clock.GetUtcNow()).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

        Task Pass(int days) => platform.Client.MoveClock(platform.Clock.GetUtcNow().AddDays(days), TestContext.Current.CancellationToken);
    }
}
