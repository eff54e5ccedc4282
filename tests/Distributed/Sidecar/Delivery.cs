using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Sloring.Sidecar;

/// <summary>What the app subscribed to, and the delivery of it: asked for once, when the app first listens.</summary>
internal sealed class Delivery(Flags flags, Resources resources, Broker? broker, Publishing publishing, Names names, ILogger<Delivery> log) : BackgroundService
{
    private static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(10);

    private readonly HttpClient _app = new(new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{flags.AppPort}"),
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        // A delivery has the time that its handler takes.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private List<Subscription> _subscriptions = [];

    public IReadOnlyList<Subscription> Subscriptions => _subscriptions;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (flags.AppPort == 0)
            return;
        while (!await names.AppListens(stoppingToken))
            await Task.Delay(50, stoppingToken);
        await Ask("/dapr/config", stoppingToken);
        if (await Ask("/dapr/subscribe", stoppingToken) is not { } answer)
            return;
        try
        {
            _subscriptions = [.. JsonSerializer.Deserialize<List<Subscription>>(answer, JsonSerializerOptions.Web)!.Where(Usable)];
        }
        catch (JsonException)
        {
            log.LogError("the app's answer to /dapr/subscribe cannot be read");
        }
        await Task.WhenAll(_subscriptions.Select(s => broker!.Subscribe(
            s.Topic, s.Metadata?.GetValueOrDefault("queueName") ?? $"{resources.PubSub!.ConsumerId}-{s.Topic}", s.Metadata ?? [], (body, cancel) => Deliver(s, body, cancel))));
    }

    private bool Usable(Subscription subscription)
    {
        var why = subscription switch
        {
            _ when subscription.PubsubName != resources.PubSub?.Name => "there is no such pub/sub component in this app's scope",
            _ when !resources.PubSub!.MaySubscribe(subscription.Topic) => "the topic is not in this app's scope",
            { Path: null } => "it has no route",
            { Routes.Rules.Count: > 0 } or { BulkSubscribe.Enabled: true } => "the stand-in has neither rules nor bulk deliveries",
            _ => null,
        };
        if (why is not null)
            log.LogError("the subscription to {Topic} is left out: {Why}", subscription.Topic, why);
        return why is null;
    }

    /// <summary>Three tries in at most ten seconds; 404 is an answer too.</summary>
    private async Task<byte[]?> Ask(string path, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(AskLimit);
        for (var tries = 1; tries <= 3 && !limit.IsCancellationRequested; tries++)
        {
            try
            {
                using var request = Request(HttpMethod.Get, path);
                using var response = await _app.SendAsync(request, limit.Token);
                if (response.StatusCode == HttpStatusCode.NotFound)
                    return null;
                if (response.IsSuccessStatusCode)
                    return await response.Content.ReadAsByteArrayAsync(limit.Token);
                log.LogError("the app answered {Path} with {Status}", path, (int)response.StatusCode);
                await Task.Delay(500, limit.Token);
            }
            catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !stop.IsCancellationRequested))
            {
                log.LogError("the app did not answer {Path}", path);
            }
        }
        return null;
    }

    /// <summary>Delivers until done with it, by whatever end: true acknowledges.</summary>
    private async Task<bool> Deliver(Subscription subscription, ReadOnlyMemory<byte> envelope, CancellationToken stop)
    {
        var parent = TraceOf(envelope);
        if (parent is null)
        {
            log.LogError("a message of {Topic} is no cloud event", subscription.Topic);
            return subscription.DeadLetterTopic is { } letters && await publishing.SendDeadLetter(letters, envelope, stop);
        }
        var policy = resources.Redelivery;
        for (var retry = 0; ; retry++)
        {
            switch (await Post(subscription, envelope, Trace.Child(parent)))
            {
                case Verdict.Done:
                    return true;
                case Verdict.Drop:
                    log.LogWarning("a message of {Topic} is dropped by the app", subscription.Topic);
                    return subscription.DeadLetterTopic is null || await publishing.SendDeadLetter(subscription.DeadLetterTopic, envelope, stop);
            }
            if (policy.MaxRetries >= 0 && retry >= policy.MaxRetries)
                break;
            await Task.Delay(policy.Wait(retry), stop);
        }
        log.LogWarning("a message of {Topic} is given up", subscription.Topic);
        return subscription.DeadLetterTopic is not null && await publishing.SendDeadLetter(subscription.DeadLetterTopic, envelope, stop);
    }

    private async Task<Verdict> Post(Subscription subscription, ReadOnlyMemory<byte> envelope, string trace)
    {
        try
        {
            using var request = Request(HttpMethod.Post, subscription.Path!);
            request.Content = new ReadOnlyMemoryContent(envelope) { Headers = { ContentType = new MediaTypeHeaderValue("application/cloudevents+json") } };
            request.Headers.TryAddWithoutValidation("pubsubname", subscription.PubsubName);
            request.Headers.TryAddWithoutValidation("traceparent", trace);
            // Not cut short by a shutdown: an app that has done its work should be heard.
            using var response = await _app.SendAsync(request, CancellationToken.None);
            var body = await response.Content.ReadAsByteArrayAsync(CancellationToken.None);
            return (int)response.StatusCode switch
            {
                404 => Verdict.Drop,
                >= 200 and < 300 => StatusIn(body) switch { null or "" or "SUCCESS" => Verdict.Done, "DROP" => Verdict.Drop, _ => Verdict.Retry },
                _ => Verdict.Retry,
            };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Verdict.Retry;
        }
    }

    private static string? StatusIn(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String ? status.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? TraceOf(ReadOnlyMemory<byte> envelope)
    {
        try
        {
            using var json = JsonDocument.Parse(envelope);
            return json.RootElement.TryGetProperty("traceparent", out var trace) && trace.ValueKind == JsonValueKind.String ? trace.GetString()! : "";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, path.StartsWith('/') ? path : "/" + path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (Tokens.App is { } token)
            request.Headers.TryAddWithoutValidation(Tokens.Header, token);
        return request;
    }

    public override void Dispose()
    {
        _app.Dispose();
        base.Dispose();
    }

    private enum Verdict
    {
        Done,
        Retry,
        Drop,
    }
}

/// <summary>An entry of /dapr/subscribe.</summary>
internal sealed record Subscription(string PubsubName, string Topic, string? DeadLetterTopic, Dictionary<string, string>? Metadata, string? Route, SubscriptionRoutes? Routes, BulkSubscribe? BulkSubscribe)
{
    public string? Path => Route ?? Routes?.Default;
}

internal sealed record SubscriptionRoutes(List<JsonElement>? Rules, string? Default);

internal sealed record BulkSubscribe(bool Enabled);
