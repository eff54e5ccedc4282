using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>Effectuation that hears nothing from Registration (rule E7): within its bound it refuses, and it never shows a name.</summary>
public sealed class StalenessTests
{
    [Theory] // E7
    [InlineData("cut")]
    [InlineData("silent")]
    public async Task EffectuationThatHearsNothing_RefusesWithinItsBound_AndNeverShowsTheName(string fault)
    {
        await using var wire = new Wire();
        await using var platform = await Platform.StartWith(services => services
            .PostConfigure<ServiceAddresses>(addresses =>
            {
                wire.Target = new Uri(addresses["registration"]).Port;
                addresses["registration"] = wire.Address;
            })
            .PostConfigure<Effectuation.EffectuationOptions>(options => options.StalenessBoundSeconds = 3));
        var cpr = People.NextCpr();
        await platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new SharedPlatform().Activation(cpr, key: Guid.NewGuid().ToString("N")), Cancel);
        await Eventually.True(async () => await Look(platform, cpr) == "masked", "the view masks");

        wire.Broken = fault;
        var seen = new List<string>();
        await Eventually.True(async () =>
        {
            seen.Add(await Look(platform, cpr));
            return seen[^1] == "SLR-501";
        }, "the view refuses");
        Assert.DoesNotContain("shown", seen);

        wire.Broken = null;
        await Eventually.True(async () => await Look(platform, cpr) == "masked", "the view masks again");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<string> Look(Platform platform, string cpr)
    {
        var (status, answer) = await platform.Client.Send("borgervisning", HttpMethod.Post, "/v1/mask-entries", new JsonObject
        {
            ["patientCpr"] = cpr,
            ["entries"] = new JsonArray(new JsonObject
            {
                ["id"] = "1",
                ["source"] = "EPJ",
                ["cvr"] = "29190623",
                ["staff"] = new JsonArray(new JsonObject { ["name"] = "Mette Holm Testesen", ["professionCode"] = "5166" }),
            }),
        }, Cancel);
        return status != HttpStatusCode.OK ? (string)answer["code"]! : (bool?)answer["entries"]![0]!["staff"]![0]!["masked"] == true ? "masked" : "shown";
    }

    /// <summary>A loopback wire to Registration that can be cut, or left open and silent as by a stopped process.</summary>
    private sealed class Wire : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _accepting;
        private volatile string? _broken;

        public Wire()
        {
            _listener.Start();
            _accepting = Accept();
        }

        public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

        public int Target { get; set; }

        /// <summary>"cut", "silent", or null while whole.</summary>
        public string? Broken { get => _broken; set => _broken = value; }

        private async Task Accept()
        {
            try
            {
                while (true)
                    _ = Join(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // Disposed of.
            }
        }

        private async Task Join(TcpClient near)
        {
            using (near)
            using (var far = new TcpClient())
            {
                if (Broken == "cut")
                    return;
                await far.ConnectAsync(IPAddress.Loopback, Target, _stop.Token);
                await Task.WhenAny(Pump(near.GetStream(), far.GetStream()), Pump(far.GetStream(), near.GetStream()));
            }
        }

        private async Task Pump(NetworkStream from, NetworkStream to)
        {
            var buffer = new byte[16 * 1024];
            try
            {
                while (await from.ReadAsync(buffer, _stop.Token) is var read and > 0)
                {
                    if (Broken == "cut")
                        return;
                    // Silent: open, and nothing comes through until it is whole again.
                    if (Broken == "silent")
                        await Eventually.True(() => Task.FromResult(Broken is null || _stop.IsCancellationRequested), "the wire is whole again", TimeSpan.FromMinutes(1));
                    await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or TimeoutException)
            {
                // The connection is over.
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Dispose();
            await _accepting;
            _stop.Dispose();
        }
    }
}
