using System.Diagnostics;
using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Effectuation;
using Sloring.Tests;

namespace Sloring.Bench;

/// <summary>Over the wire: masking against an echo of the same messages, and how soon an accepted activation is masked.</summary>
public static class EffectFigures
{
    private const int EntriesPerMessage = 100;
    private const int Messages = 200;
    internal const int EntriesPerStream = Messages * EntriesPerMessage;
    private const int Rounds = 15;
    private const int Activations = 200;

    public static IEnumerable<Figure> Measure()
    {
        var platform = Platform.Start().GetAwaiter().GetResult();
        try
        {
            yield return AgainstEcho(platform).GetAwaiter().GetResult();
            yield return AcceptedToMasked(platform).GetAwaiter().GetResult();
        }
        finally
        {
            platform.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>Half of an echo's entries a second is allowed: twice its time. Half of the entries are masked, as for a patient known to two organisations.</summary>
    private static async Task<Figure> AgainstEcho(Platform platform)
    {
        var cpr = People.NextCpr();
        await Activate(platform, cpr);
        var headers = await platform.As("borgervisning");
        var masking = new EffectuationService.EffectuationServiceClient(platform.Channel);
        var request = Request(cpr);
        await Eventually.True(async () => (await masking.MaskEntriesAsync(request, headers)).Explanation is not null, "the patient is masked");

        await using var echo = Echo();
        await echo.StartAsync();
        using var channel = GrpcChannel.ForAddress(echo.Urls.First());
        var echoing = new EffectuationService.EffectuationServiceClient(channel);
        var pairs = new List<(double Mask, double Echo)>();
        for (var round = 0; round < Rounds + 3; round++)
        {
            var pair = (await Stream(masking, request, headers), await Stream(echoing, request, []));
            if (round >= 3)
                pairs.Add(pair);
        }
        double Rate(double seconds) => EntriesPerStream / seconds;
        return new Figure("`MaskEntries` over gRPC, against an echo of the same messages over the same transport", Median(pairs.Select(p => p.Mask / p.Echo)), 2,
            $"{Rate(Median(pairs.Select(p => p.Mask))):F0} entries/s against {Rate(Median(pairs.Select(p => p.Echo))):F0}");
    }

    internal static async Task<double> Stream(EffectuationService.EffectuationServiceClient client, MaskEntriesRequest request, Metadata headers)
    {
        var start = Stopwatch.GetTimestamp();
        using var call = client.MaskEntryStream(headers);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Messages; i++)
                await call.RequestStream.WriteAsync(request);
            await call.RequestStream.CompleteAsync();
        });
        var received = 0;
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
            received += call.ResponseStream.Current.Entries.Count;
        await sending;
        return received == EntriesPerStream ? Stopwatch.GetElapsedTime(start).TotalSeconds : throw new InvalidOperationException($"{received} entries came back.");
    }

    /// <summary>
    /// From the adapter's answer to the first time effectuation's own picture masks. The yardsticks, measured between the activations: one durable commit
    /// of 1 KiB on the same disk, and one loopback call over the same channel.
    /// </summary>
    private static async Task<Figure> AcceptedToMasked(Platform platform)
    {
        var watcher = platform.Services.GetRequiredService<WatchPicture>().Watcher;
        var registration = new RegistrationService.RegistrationServiceClient(platform.Channel);
        var effectuation = new EffectuationService.EffectuationServiceClient(platform.Channel);
        var headers = await platform.As("epj-hovedstaden");
        var view = await platform.As("borgervisning");
        var empty = new MaskEntriesRequest { PatientCpr = People.NextCpr() };
        var file = Path.Combine(platform.Folder, "yardstick");
        await using var disk = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        var block = new byte[1024];
        var samples = new List<(double Effect, double Commit, double Call)>();
        for (var i = 0; i < Activations + 20; i++)
        {
            var cpr = People.NextCpr();
            var patient = CprNumber.Parse(cpr);
            await registration.ActivateAsync(Activation(cpr), headers);
            var accepted = Stopwatch.GetTimestamp();
            while (!IsMasked(watcher, patient))
                await Task.Yield();
            var effect = Stopwatch.GetElapsedTime(accepted);

            var start = Stopwatch.GetTimestamp();
            await disk.WriteAsync(block);
            disk.Flush(flushToDisk: true);
            var commit = Stopwatch.GetElapsedTime(start);
            start = Stopwatch.GetTimestamp();
            await effectuation.MaskEntriesAsync(empty, view);
            var call = Stopwatch.GetElapsedTime(start);
            if (i >= 20)
                samples.Add((effect.TotalMilliseconds, commit.TotalMilliseconds, call.TotalMilliseconds));
        }
        var (effectMs, yardstick) = (Median(samples.Select(s => s.Effect)), Median(samples.Select(s => s.Commit + s.Call)));
        return new Figure("Activation accepted → masked in effectuation, against one durable commit and one loopback call", effectMs / yardstick, 5,
            FormattableString.Invariant($"median {effectMs:F2} ms against {yardstick:F2} ms ({Median(samples.Select(s => s.Commit)):F2} commit, {Median(samples.Select(s => s.Call)):F2} call)"));
    }

    private static bool IsMasked(Client.MaskingWatcher watcher, CprNumber patient)
    {
        var (picture, nowMs) = watcher.Fresh();
        return picture.Index.ForPatient(picture.KeyOf(patient), nowMs).Any();
    }

    private static async Task Activate(Platform platform, string cpr) =>
        await new RegistrationService.RegistrationServiceClient(platform.Channel).ActivateAsync(Activation(cpr), await platform.As("epj-hovedstaden"));

    internal static ActivateRequest Activation(string cpr) => new()
    {
        IdempotencyKey = Guid.NewGuid().ToString("N"),
        PatientCpr = cpr,
        Trigger = Trigger.Threats,
        BehaviourOn = "2025-01-15",
        Reason = "Truede med vold.",
        Activator = new Contracts.Registration.V1.Activator { PersonId = "hw-1001", Role = "health-worker", UnitSorId = "1000111000016001" },
    };

    internal static MaskEntriesRequest Request(string cpr)
    {
        var request = new MaskEntriesRequest { PatientCpr = cpr };
        for (var i = 0; i < EntriesPerMessage; i++)
        {
            var entry = new Entry
            {
                Id = $"entry-{i}",
                Source = "EPJ",
                Cvr = i % 2 == 0 ? "29190623" : "29190925",
                SorId = "1000111000016001",
                OrganisationName = "Akutmodtagelsen",
                OccurredAt = "2025-11-18T21:14:00+01:00",
                Activity = "Opslag i journal",
                Text = "Patienten modtaget i akutmodtagelsen.",
            };
            entry.Staff.Add(new Staff { Role = "user", Name = People.Names[i % People.Names.Length], ProfessionCode = "5166", UserId = "mho", AuthorisationId = "6QF17" });
            request.Entries.Add(entry);
        }
        return request;
    }

    private static WebApplication Echo()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, options => options.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        var app = builder.Build();
        app.MapGrpcService<EchoRpcs>();
        return app;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    internal sealed class EchoRpcs : EffectuationService.EffectuationServiceBase
    {
        public override async Task MaskEntryStream(
            IAsyncStreamReader<MaskEntriesRequest> requestStream, IServerStreamWriter<MaskEntriesResponse> responseStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
                await responseStream.WriteAsync(new MaskEntriesResponse { Entries = { requestStream.Current.Entries } });
        }
    }
}
