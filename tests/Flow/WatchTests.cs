using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Flow.SharedPlatform;

namespace Sloring.Tests.Flow;

/// <summary>Data sources outside the platform that keep a picture of their own, each with its own token.</summary>
public sealed class WatchTests : IAsyncLifetime
{
    private Platform _platform = null!;

    public async ValueTask InitializeAsync() => _platform = await Platform.Start(
        null, "--Tokens:Clients:90:Id=kilde-lab", "--Tokens:Clients:90:Name=Datakilde, laboratorium", "--Tokens:Clients:90:Roles:0=data-source", $"--Tokens:Clients:90:Cvr={RegionH}");

    public ValueTask DisposeAsync() => _platform.DisposeAsync();

    [Fact] // E8, M1
    public async Task EachSource_HearsOfItsOwnOrganisation_UnderKeysOfItsOwn_AndNoCprNumber()
    {
        var cpr = People.NextCpr();
        await using var nord = await Listener.Start(_platform, "kilde-hovedstaden");
        await using var lab = await Listener.Start(_platform, "kilde-lab");
        await using var vest = await Listener.Start(_platform, "kilde-midtjylland");
        await Activate("epj-hovedstaden", cpr, SectionA);
        await Activate("epj-midtjylland", cpr, MedicalM);
        var (inNord, inLab, inVest) = (await nord.NextMasking(), await lab.NextMasking(), await vest.NextMasking());
        Assert.Equal([29190623u, 29190623u, 29190925u], [inNord.Cvr, inLab.Cvr, inVest.Cvr]);

        // One patient, three keys; each is right under its own secret.
        foreach (var (listener, masking) in ((Listener, MaskingChange)[])[(nord, inNord), (lab, inLab), (vest, inVest)])
            Assert.Equal(PatientKey.Compute(listener.Secret.Span, CprNumber.Parse(cpr)), new PatientKey(masking.PatientHigh, masking.PatientLow));
        Assert.Equal(3, new[] { inNord, inLab, inVest }.Select(m => (m.PatientHigh, m.PatientLow)).Distinct().Count());

        // Whoever comes later gets the same by snapshot, and nobody ever hears of another organisation.
        await using var late = await Listener.Start(_platform, "kilde-midtjylland");
        Assert.Equal(inVest, await late.NextMasking());
        foreach (var listener in (Listener[])[nord, lab, vest, late])
        {
            await listener.Heartbeat();
            Assert.Single(listener.Maskings);
            Assert.All(listener.Messages, message =>
            {
                Assert.True(message.ToByteArray().AsSpan().IndexOf(Encoding.ASCII.GetBytes(cpr)) < 0, "a CPR number in a message");
                Assert.DoesNotContain(cpr, message.ToString(), StringComparison.Ordinal);
            });
        }
    }

    [Theory] // E8
    [InlineData("epj-hovedstaden"), InlineData("borgervisning"), InlineData("leder"), InlineData("revisor"), InlineData("drift")]
    public async Task OthersMayNotWatch(string client)
    {
        using var call = new RegistrationService.RegistrationServiceClient(_platform.Channel).WatchMaskings(new WatchMaskingsRequest(), await _platform.As(client), cancellationToken: TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
        Assert.StartsWith("SLR-902", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact] // E6, E7
    public async Task Watcher_MasksAsTheViewDoes_HearsChanges_AndGoesOnAfterARestart()
    {
        var (first, second) = (People.NextCpr(), People.NextCpr());
        await using var nord = new Source(_platform, "kilde-hovedstaden", TimeSpan.FromSeconds(10));
        await using var vest = new Source(_platform, "kilde-midtjylland", TimeSpan.FromSeconds(10));
        await nord.Watcher.Ready(TestContext.Current.CancellationToken).WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        await vest.Watcher.Ready(TestContext.Current.CancellationToken).WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);

        var id = await Activate("epj-hovedstaden", first, SectionA);
        Assert.Equal((RegionH, true), await nord.Next());
        var salt = await nord.Salt();
        var masked = nord.Mask(first, salt);
        Assert.True(masked.Staff[0].Masked);
        Assert.Equal(NationalPseudonym.For(CprNumber.Parse(first), salt).Of("Mette Holm Testesen"), masked.Staff[0].Pseudonym);
        // Another organisation's picture tells nothing of this entry: masked, to be safe (E5).
        Assert.True(vest.Mask(first, salt).Staff[0].Masked);

        _platform = await _platform.Restart();
        await Eventually.True(() => Task.FromResult(nord.Watcher is { IsFresh: true } && vest.Watcher.IsFresh), "both watch again");
        Assert.True(nord.Mask(first, salt).Staff[0].Masked);
        await Activate("epj-midtjylland", second, MedicalM);
        // The first thing that each hears after the restart is new: nothing is told twice.
        Assert.Equal((RegionM, true), await vest.Next());
        await _platform.Client.Must("leder", HttpMethod.Post, $"/v1/maskings/{id}/end", Reason("Ikke mere."), CancellationToken.None);
        Assert.Equal((RegionH, false), await nord.Next());
        Assert.False(nord.Mask(first, salt).Staff[0].Masked);
    }

    [Fact] // E6
    public async Task Watch_ResumesAfterARestart_WhereItWas()
    {
        await Activate("epj-hovedstaden", People.NextCpr(), SectionA);
        string feed;
        long position;
        await using (var before = await Listener.Start(_platform, "kilde-hovedstaden"))
        {
            await before.NextMasking();
            (feed, position) = (before.FeedId, (await before.Heartbeat()).Position);
        }
        await Activate("epj-hovedstaden", People.NextCpr(), SectionA);
        _platform = await _platform.Restart();
        await using var after = await Listener.Start(_platform, "kilde-hovedstaden", new WatchMaskingsRequest { FeedId = feed, AfterPosition = position });
        await after.NextMasking();
        Assert.True(after.Messages[0].Welcome.Resumed);
        Assert.DoesNotContain(after.Messages, m => m.MessageCase == WatchMaskingsResponse.MessageOneofCase.Snapshot);
        // Another client's feed is not resumed: its keys are others.
        await using var other = await Listener.Start(_platform, "kilde-lab", new WatchMaskingsRequest { FeedId = feed, AfterPosition = position });
        await other.NextMasking();
        Assert.False(other.Messages[0].Welcome.Resumed);
        Assert.Equal(2, other.Maskings.Count);
    }

    [Fact] // E8
    public async Task WatchEndsWithItsClient_AndWithItsToken_AndWhoComesAgainMissesNothing()
    {
        await using var platform = await Platform.Start(null, "--Token:RefreshSeconds=1");
        await using (var revoked = await Listener.Start(platform, "kilde-hovedstaden"))
        {
            await platform.Client.Must("drift", HttpMethod.Post, "/v1/clients/kilde-hovedstaden/revocation", new JsonObject(), CancellationToken.None);
            Assert.StartsWith("SLR-932", (await revoked.End()).Status.Detail, StringComparison.Ordinal);
        }
        var request = new WatchMaskingsRequest();
        await using (var expired = await Listener.Start(platform, "kilde-midtjylland"))
        {
            (request.FeedId, request.AfterPosition) = (expired.FeedId, (await expired.Heartbeat()).Position);
            await platform.Client.MoveClock(platform.Clock.GetUtcNow().AddMinutes(6), CancellationToken.None);
            Assert.StartsWith("SLR-901", (await expired.End()).Status.Detail, StringComparison.Ordinal);
        }
        var activation = new SharedPlatform().Activation(People.NextCpr(), unit: MedicalM, key: Guid.NewGuid().ToString("N"));
        await platform.Client.Must("epj-midtjylland", HttpMethod.Post, "/v1/maskings", activation, CancellationToken.None);
        await using var again = await Listener.Start(platform, "kilde-midtjylland", request);
        await again.NextMasking();
        Assert.True(again.Messages[0].Welcome.Resumed);
    }

    [Fact] // E8
    public async Task ServiceThatIsRevokedByMistake_WatchesAgainOnceItIsRestored()
    {
        await using var platform = await Platform.Start(null, "--Token:RefreshSeconds=1");
        using var tokens = new ServiceTokens(platform.Services.GetRequiredService<SecretStore>(), platform.Services.GetRequiredService<IOptions<TokenOptions>>(), platform.Clock);
        var watcher = new RegistrationService.RegistrationServiceClient(platform.Channel.Intercept(new ServiceTokenInterceptor(tokens, "kilde-hovedstaden")));
        async Task<bool> Watches()
        {
            try
            {
                using var watch = watcher.WatchMaskings(new WatchMaskingsRequest(), cancellationToken: TestContext.Current.CancellationToken);
                return await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unauthenticated or StatusCode.Unavailable)
            {
                return false;
            }
        }
        Assert.True(await Watches());
        await platform.Client.Must("drift", HttpMethod.Post, "/v1/clients/kilde-hovedstaden/revocation", new JsonObject(), CancellationToken.None);
        await Eventually.True(async () => !await Watches(), "it is refused");
        await platform.Client.Must("drift", HttpMethod.Post, "/v1/clients/kilde-hovedstaden/restoration", new JsonObject(), CancellationToken.None);
        // Long before the token that was refused would have been renewed.
        await Eventually.True(Watches, "it watches again", TimeSpan.FromSeconds(20));
    }

    [Fact] // E8
    public async Task StreamOfEntries_EndsWithItsClient()
    {
        await using var platform = await Platform.Start(null, "--Token:RefreshSeconds=1");
        using var stream = new EffectuationService.EffectuationServiceClient(platform.Channel).MaskEntryStream(await platform.As("borgervisning"), cancellationToken: TestContext.Current.CancellationToken);
        var request = new MaskEntriesRequest { PatientCpr = People.NextCpr() };
        await stream.RequestStream.WriteAsync(request, TestContext.Current.CancellationToken);
        Assert.True(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        await platform.Client.Must("drift", HttpMethod.Post, "/v1/clients/borgervisning/revocation", new JsonObject(), CancellationToken.None);
        RpcException? error = null;
        await Eventually.True(async () =>
        {
            try
            {
                await stream.RequestStream.WriteAsync(request, TestContext.Current.CancellationToken);
                return !await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
            }
            catch (RpcException e)
            {
                error = e;
                return true;
            }
        }, "the stream ends");
        Assert.StartsWith("SLR-932", error?.Status.Detail ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientWithTooManyWatches_IsRefusedOneMore_UntilItClosesOne()
    {
        await using var platform = await Platform.Start(null, "--Limits:WatchesPerClient=2");
        await using var first = await Listener.Start(platform, "kilde-hovedstaden");
        await using (await Listener.Start(platform, "kilde-hovedstaden"))
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => Listener.Start(platform, "kilde-hovedstaden"));
            Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
            Assert.StartsWith("SLR-933", error.Status.Detail, StringComparison.Ordinal);
            await using var others = await Listener.Start(platform, "kilde-midtjylland");
        }
        await Eventually.True(async () =>
        {
            try
            {
                await using var instead = await Listener.Start(platform, "kilde-hovedstaden");
                return true;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
            {
                return false;
            }
        }, "one that was closed makes room for another");
    }

    [Fact]
    public async Task ClientWithTooManyStreams_IsRefusedOneMore_UntilItClosesOne()
    {
        await using var platform = await Platform.Start(null, "--Limits:StreamsPerClient=2");
        using var first = await OpenStream(platform, "borgervisning");
        using (await OpenStream(platform, "borgervisning"))
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => OpenStream(platform, "borgervisning"));
            Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
            Assert.StartsWith("SLR-934", error.Status.Detail, StringComparison.Ordinal);
            using var others = await OpenStream(platform, "kilde-hovedstaden");
            await using var watch = await Listener.Start(platform, "kilde-hovedstaden");
        }
        await Eventually.True(async () =>
        {
            try
            {
                using var instead = await OpenStream(platform, "borgervisning");
                return true;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
            {
                return false;
            }
        }, "one that was closed makes room for another");
    }

    [Fact]
    public async Task MessagesOfAStream_CountLikeCalls_AndWaitInsteadOfEndingIt()
    {
        await using var platform = await Platform.Start(null, "--Limits:ClientRequestsPerSecond=10", "--Limits:ClientBurst=10");
        var begun = Stopwatch.GetTimestamp();
        using var stream = await OpenStream(platform, "borgervisning");
        for (var i = 0; i < 30; i++)
            await Ask(stream);
        // Of 32, ten at once and ten a second.
        Assert.True(Stopwatch.GetElapsedTime(begun) > TimeSpan.FromSeconds(1.5), "as many calls would have taken longer");
        await Ask(await OpenStream(platform, "kilde-hovedstaden"));
    }

    [Fact] // O3
    public async Task AStreamThatStaysOpen_LeavesAnEntryOfAPatientAgain_AQuarterOfAnHourLater()
    {
        await using var platform = await Platform.Start();
        using var stream = await OpenStream(platform, "borgervisning");
        await Ask(stream);
        await Eventually.True(async () => await Reads() == 1, "one entry of both");
        await platform.Client.MoveClock(platform.Clock.GetUtcNow().AddMinutes(14), TestContext.Current.CancellationToken);
        await Ask(stream);
        await platform.Client.MoveClock(platform.Clock.GetUtcNow().AddMinutes(2), TestContext.Current.CancellationToken);
        await Ask(stream);
        await Eventually.True(async () => await Reads() == 2, "and one of a quarter of an hour later");

        async Task<int> Reads() => (await platform.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == "effectuation")
            .Query(all => all.Where(e => e.Type == "audit.masking-read.v1" && e.Actor == "borgervisning"), TestContext.Current.CancellationToken)).Count;
    }

    private static async Task<AsyncDuplexStreamingCall<MaskEntriesRequest, MaskEntriesResponse>> OpenStream(Platform platform, string client)
    {
        var stream = new EffectuationService.EffectuationServiceClient(platform.Channel).MaskEntryStream(await platform.As(client), cancellationToken: TestContext.Current.CancellationToken);
        await Ask(stream);
        return stream;
    }

    private static async Task Ask(AsyncDuplexStreamingCall<MaskEntriesRequest, MaskEntriesResponse> stream)
    {
        try
        {
            await stream.RequestStream.WriteAsync(new MaskEntriesRequest { PatientCpr = "7101901234" }, TestContext.Current.CancellationToken);
        }
        catch (InvalidOperationException)
        {
            // The call is over already; reading says why.
        }
        Assert.True(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
    }

    [Fact] // E7
    public async Task WatcherWithoutAPlatform_RefusesOnceItsPictureIsOlderThanItsBound()
    {
        var cpr = People.NextCpr();
        await using var source = new Source(_platform, "kilde-hovedstaden", TimeSpan.FromSeconds(3));
        Assert.Throws<RejectedException>(() => source.Watcher.Fresh());
        await source.Watcher.Ready(TestContext.Current.CancellationToken).WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        await Activate("epj-hovedstaden", cpr, SectionA);
        await source.Next();
        await _platform.Stop();
        await Eventually.True(() =>
        {
            // Until then it masks; not one answer comes from an older picture.
            var age = source.Watcher.Staleness;
            if (!source.Watcher.TryFresh(out var fresh))
                return Task.FromResult(true);
            Assert.True(age <= source.Watcher.Bound, $"answered at an age of {age}");
            Assert.True(fresh.Picture.Index.IsMasked(fresh.Picture.KeyOf(CprNumber.Parse(cpr)), CvrNumber.Parse(RegionH), fresh.NowMs));
            return Task.FromResult(false);
        }, "the watcher refuses");
        Assert.Equal("SLR-501", Assert.Throws<RejectedException>(() => source.Mask(cpr, "c2FsdA==")).Rejection.Code);
        Assert.True(source.Watcher.Staleness > source.Watcher.Bound);

        _platform = await _platform.Restart();
        await Eventually.True(() => Task.FromResult(source.Watcher.IsFresh), "the watcher answers again");
        Assert.True(source.Mask(cpr, "c2FsdA==").Staff[0].Masked);
    }

    private async Task<string> Activate(string adapter, string cpr, string unit)
    {
        var activation = new SharedPlatform().Activation(cpr, unit: unit, key: Guid.NewGuid().ToString("N"));
        return (string)(await _platform.Client.Must(adapter, HttpMethod.Post, "/v1/maskings", activation, CancellationToken.None))["maskingId"]!;
    }

    /// <summary>Reads the watch as it comes over the wire.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private readonly AsyncServerStreamingCall<WatchMaskingsResponse> _call;
        private readonly Queue<MaskingChange> _unread = [];

        private Listener(AsyncServerStreamingCall<WatchMaskingsResponse> call) => _call = call;

        public List<WatchMaskingsResponse> Messages { get; } = [];

        public List<MaskingChange> Maskings { get; } = [];

        public string FeedId => Messages[0].Welcome.FeedId;

        public ReadOnlyMemory<byte> Secret => Messages[0].Welcome.PatientKeySecret.Memory;

        /// <summary>Returns after the first heartbeat: from then on nothing is missed.</summary>
        public static async Task<Listener> Start(Platform platform, string client, WatchMaskingsRequest? request = null)
        {
            var watch = new RegistrationService.RegistrationServiceClient(platform.Channel).WatchMaskings(request ?? new WatchMaskingsRequest(), await platform.As(client));
            var listener = new Listener(watch);
            await listener.Heartbeat();
            return listener;
        }

        public async Task<Heartbeat> Heartbeat()
        {
            var read = await Read();
            while (read.MessageCase != WatchMaskingsResponse.MessageOneofCase.Heartbeat)
                read = await Read();
            return read.Heartbeat;
        }

        /// <summary>Reads on until the server ends the watch; gives its reason.</summary>
        public Task<RpcException> End() => Assert.ThrowsAsync<RpcException>(async () =>
        {
            var began = Stopwatch.StartNew();
            while (began.Elapsed < Eventually.Limit)
                await Read();
        });

        public async Task<MaskingChange> NextMasking()
        {
            while (_unread.Count == 0)
                await Read();
            return _unread.Dequeue();
        }

        private async Task<WatchMaskingsResponse> Read()
        {
            Assert.True(await _call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Eventually.Limit));
            var message = _call.ResponseStream.Current;
            Messages.Add(message);
            foreach (var masking in (message.Snapshot?.Maskings ?? []).Concat(message.Changes?.Maskings ?? []))
            {
                Maskings.Add(masking);
                _unread.Enqueue(masking);
            }
            return message;
        }

        public ValueTask DisposeAsync()
        {
            _call.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
