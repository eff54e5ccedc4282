using Grpc.Core;
using Grpc.Net.Client;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Registration.V1;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>A data source of Region Hovedstaden that embeds our client: it watches for as long as it is there, and looks at its picture every 50 ms.</summary>
internal sealed class WatchingSource : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private readonly HttpClient _http;
    private readonly SloringTokens _tokens;
    private readonly GrpcChannel _channel;
    private readonly MaskingWatcher _watcher;
    private readonly CancellationTokenSource _stop = new();
    private readonly string? _always;
    private readonly Task _watching;
    private Task _looking = Task.CompletedTask;

    private WatchingSource(string registration, string tokens, string secret, string? always)
    {
        _always = always;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(tokens + "/") };
        _tokens = new SloringTokens(_http, "kilde-hovedstaden", secret, TimeProvider.System);
        _channel = GrpcChannel.ForAddress(registration, new GrpcChannelOptions
        {
            UnsafeUseInsecureChannelCallCredentials = true,
            Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, _tokens.Credentials),
        });
        _watcher = new MaskingWatcher(new RegistrationService.RegistrationServiceClient(_channel), TimeProvider.System);
        _watching = _watcher.Run(_stop.Token);
    }

    /// <param name="registration">gRPC address.</param>
    /// <param name="tokens">HTTP address.</param>
    /// <param name="secret">The client's.</param>
    /// <param name="always">CPR number of a patient who is masked all the time.</param>
    public static async Task<WatchingSource> Start(string registration, string tokens, string secret, string? always = null)
    {
        var source = new WatchingSource(registration, tokens, secret, always);
        await source._watcher.Ready(TestContext.Current.CancellationToken);
        source._looking = source.Look();
        return source;
    }

    /// <summary>How old its picture ever was.</summary>
    public TimeSpan Stalest { get; private set; }

    /// <summary>How often it would have shown the name that is always masked.</summary>
    public int Shown { get; private set; }

    /// <summary>Journal position that its picture came to.</summary>
    public long Position => _watcher.Current!.Position;

    /// <summary>Whether it masks a patient now; null where it refuses to say (rule E7).</summary>
    public bool? Masks(string patient)
    {
        try
        {
            var answer = _watcher.Mask([new Entry { Id = "e-1", Source = "EPJ", Cvr = "29190623", Staff = { new Staff { Role = "user", Name = "Bo Eksempel", ProfessionCode = "5166" } } }], CprNumber.Parse(patient), "salt");
            return answer.Entries[0].Staff[0].Name.Length == 0;
        }
        catch (RejectedException rejected) when (rejected.Rejection.Code == Rejections.PictureNotFresh.Code)
        {
            return null;
        }
    }

    public async Task Stop()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_watching, _looking);
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _channel.Dispose();
        _tokens.Dispose();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task Look()
    {
        for (; !_stop.IsCancellationRequested; await Task.Delay(LookEvery))
        {
            Stalest = _watcher.Staleness > Stalest ? _watcher.Staleness : Stalest;
            if (_always is not null && Masks(_always) == false)
                Shown++;
        }
    }
}
