using System.Text.Json;
using System.Threading.Channels;
using Grpc.Core;
using Grpc.Net.Client;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Contracts.Registration.V1;
using static Sloring.Tests.Flow.SharedPlatform;

namespace Sloring.Tests.Flow;

/// <summary>A data source's own program: a watcher with a token of its own.</summary>
internal sealed class Source : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<PictureChange> _changes = System.Threading.Channels.Channel.CreateUnbounded<PictureChange>();
    private readonly HttpClient _http;
    private readonly SloringTokens _tokens;
    private readonly GrpcChannel _channel;
    private readonly Task _running;
    private readonly Task _hearing;

    public Source(Platform platform, string client, TimeSpan bound)
    {
        _http = new HttpClient { BaseAddress = new Uri(platform.HttpAddress + "/") };
        using var secrets = JsonDocument.Parse(File.ReadAllText(Path.Combine(platform.Folder, "secrets.json")));
        _tokens = new SloringTokens(_http, client, secrets.RootElement.GetProperty("client/" + client).GetString()!, TimeProvider.System);
        _channel = GrpcChannel.ForAddress(platform.GrpcAddress, new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, _tokens.Credentials),
            UnsafeUseInsecureChannelCallCredentials = true,
        });
        Watcher = new MaskingWatcher(new RegistrationService.RegistrationServiceClient(_channel), TimeProvider.System) { Bound = bound };
        _hearing = Hear();
        _running = Watcher.Run(_stop.Token);
    }

    public MaskingWatcher Watcher { get; }

    public async Task<(string Cvr, bool Masked)> Next()
    {
        var change = await _changes.Reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Eventually.Limit);
        return (change.Cvr.ToString(), change.EndsAtMs > 0);
    }

    public async Task<string> Salt() => (await new PseudonymService.PseudonymServiceClient(_channel).GetCurrentSaltAsync(new GetCurrentSaltRequest())).Value;

    /// <summary>An entry as the source would show it.</summary>
    public Entry Mask(string cpr, string salt, string cvr = RegionH) => Watcher.Mask(
        [new Entry { Id = "w-1", Source = "Laboratoriesvar", Cvr = cvr, SorId = UnitOf(cvr), Staff = { new Staff { Name = "Mette Holm Testesen", ProfessionCode = "5166" } } }],
        CprNumber.Parse(cpr), salt).Entries[0];

    private async Task Hear()
    {
        try
        {
            await foreach (var change in Watcher.Changes(_stop.Token))
                await _changes.Writer.WriteAsync(change);
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _hearing;
        _channel.Dispose();
        _tokens.Dispose();
        _http.Dispose();
        _stop.Dispose();
    }
}
