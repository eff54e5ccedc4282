using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>What an operator sees of the platform, and what they can do about messages that were refused.</summary>
public sealed class OperationTests(PortalFixture portal)
{
    private const string Queue = "registration.activate-masking";

    [Fact]
    public async Task TheOperator_SeesEveryServiceItsReplicaAndRelay_AndThatThereIsNoBroker()
    {
        var page = await portal.SignIn("drift", at: "/operation");

        await Assertions.Expect(page.Locator("#services tbody tr")).ToHaveCountAsync(ServiceNames.WithJournal.Count);
        foreach (var service in ServiceNames.WithJournal)
        {
            await Assertions.Expect(Row(page, "services", service)).ToContainTextAsync("Svarer");
            await Assertions.Expect(Row(page, "replicas", service)).ToContainTextAsync(new Regex(@":\d+.*0\.1\.0.*for \d+\.\d s siden", RegexOptions.Singleline));
            await Assertions.Expect(Row(page, "relays", service)).ToContainTextAsync("Andre tjenester");
        }
        await Assertions.Expect(Row(page, "replicas", "effectuation")).ToContainTextAsync("Frisk");
        await Assertions.Expect(page.Locator("#no-broker")).ToBeVisibleAsync();
        Assert.Equal(0, await page.Locator("#queues, #letters, #done, [role=alert]").CountAsync());

        await page.GotoAsync($"{portal.Address}/operation?replayed=3&queue=noget.andet");
        Assert.Equal(0, await page.Locator("#done").CountAsync());
    }

    [Fact]
    public async Task TheOperator_HasWhatWasRefusedSentAgain_WithoutScript()
    {
        await using var broker = new EdgeBroker();
        await broker.Start();
        var folder = broker.NewFolder();
        await using (var platform = await Platform.Start(folder, broker.Settings))
        {
            await SendUnreadable(broker, times: 2);
            var page = await portal.SignIn("drift", at: "/operation", script: false, of: platform);
            await Eventually.True(async () =>
            {
                await page.ReloadAsync();
                return await page.Locator("#queues form").CountAsync() == 1;
            }, "the queue with errors has a button");
            await Assertions.Expect(Row(page, "queues", Queue).Locator("td").Nth(2)).ToHaveTextAsync("2");
            await PortalFixture.Picture(page, "operation");

            await page.GetByRole(AriaRole.Button, new() { Name = $"Send igen: fejlene i {Queue}" }).ClickAsync();

            await Assertions.Expect(page.Locator("#done")).ToContainTextAsync($"{Queue}: 2.");
            // Refused again, each once; and a reload sends nothing.
            await Eventually.True(async () =>
            {
                await page.ReloadAsync();
                return await Row(page, "queues", Queue).Locator("td").Nth(2).InnerTextAsync() == "2";
            }, "what is refused again is among the errors again");

            await broker.Server.Kill();
            await Eventually.True(async () =>
            {
                await page.GotoAsync(platform.HttpAddress + "/operation");
                return await page.Locator("main").GetByText("Brokeren svarer ikke").CountAsync() == 1;
            }, "the broker is away, and the rest is shown");
            await Assertions.Expect(Row(page, "services", "registration")).ToContainTextAsync("Svarer");
        }
    }

    [Fact]
    public async Task AServiceThatIsAway_IsShownAsAway_BesideTheOthers_AndWhatTheBusGaveUpOnIsTold()
    {
        await using var platform = await Platform.Start(null, $"--Services:approval=http://127.0.0.1:{Platform.FreePort()}");
        await platform.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == "effectuation").Append(
            "effectuation", new EventDeadLettered { Publisher = "pseudonym", Type = "salt.rotated.v1", Position = 1_000_000, EventId = Guid.NewGuid() }, TestContext.Current.CancellationToken);

        var page = await portal.SignIn("drift", at: "/operation", of: platform);

        await Assertions.Expect(Row(page, "services", "approval")).ToContainTextAsync("Svarer ikke");
        foreach (var service in ServiceNames.WithJournal.Where(service => service != "approval"))
            await Assertions.Expect(Row(page, "services", service).Locator(".badge")).ToHaveTextAsync("Svarer");
        await Assertions.Expect(page.Locator("#letters tbody tr")).ToContainTextAsync(new Regex("effectuation.*salt.rotated.v1.*pseudonym 1000000.*Endnu ikke taget imod", RegexOptions.Singleline));
    }

    private static ILocator Row(IPage page, string table, string first) => page.Locator($"#{table} tbody tr", new() { Has = page.GetByRole(AriaRole.Rowheader, new() { Name = first, Exact = true }) });

    private static async Task SendUnreadable(EdgeBroker broker, int times)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(broker.AddressOf("epj-hovedstaden")) }.CreateConnectionAsync();
        // Not before the platform has declared exchange and queue.
        for (var sent = 0; sent < times; sent++)
            await Eventually.True(() => Send(connection), "the platform's queue takes the message");
    }

    private static async Task<bool> Send(IConnection connection)
    {
        try
        {
            await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
            await channel.BasicPublishAsync("sloring.activations", "activate-masking", mandatory: true, new BasicProperties { UserId = "epj-hovedstaden", Persistent = true }, Encoding.UTF8.GetBytes("kl. 14"));
            return true;
        }
        catch (RabbitMQClientException)
        {
            return false;
        }
    }
}
