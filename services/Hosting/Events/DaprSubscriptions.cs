using Dapr;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sloring.Hosting;

/// <summary>
/// Where this service's own sidecar delivers events: one endpoint a topic, answered only when the event's effect is durable. The sidecar
/// takes 404 and DROP for "done with": so no subscribed topic is ever answered 404, and each has a dead-letter topic.
/// </summary>
internal static class DaprSubscriptions
{
    /// <summary>Done: applied, known already, or left to healing.</summary>
    private const string Success = "SUCCESS";

    /// <summary>Not now: the sidecar tries again a few times, then hands it to the dead-letter topic.</summary>
    private const string Retry = "RETRY";

    /// <summary>Never: to the dead-letter topic at once.</summary>
    private const string Drop = "DROP";

    /// <summary>Queues that survive a broker's crash.</summary>
    private static readonly Dictionary<string, string> Durable = new() { ["queueType"] = "quorum" };

    public static void MapSubscriptions(this WebApplication app)
    {
        app.MapSubscribeHandler().RequireAuthorization(Sidecar.Policy).DisableRateLimiting();
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(DaprSubscriptions));
        var inboxes = app.Services.GetServices<Inbox>().ToList();
        if (inboxes.Count > 1)
            throw new InvalidOperationException("Events=dapr is for one service a process. Set Events=embedded here, or start each service by its own program.");
        foreach (var inbox in inboxes.Where(inbox => inbox.Topics.Count > 0))
        {
            var deadLetters = "dead-letters." + inbox.Service;
            // Several publishers may share a topic: the envelope's source tells which.
            foreach (var topic in inbox.Topics.Select(topic => topic.Type).Distinct())
                app.MapTopic(topic, deadLetters, (body, cancel) => Receive(inbox, topic, body, log, cancel));
            var journal = app.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == inbox.Service);
            app.MapTopic(deadLetters, null, (body, cancel) => Keep(inbox, journal, body, log, cancel));
        }
    }

    private static void MapTopic(this WebApplication app, string topic, string? deadLetters, Func<ReadOnlyMemory<byte>, CancellationToken, Task<string>> receive) =>
        app.MapPost("/events/" + topic, async http =>
            {
                using var body = new MemoryStream();
                await http.Request.Body.CopyToAsync(body, http.RequestAborted);
                var status = await receive(body.GetBuffer().AsMemory(0, (int)body.Length), http.RequestAborted);
                await http.Response.WriteAsJsonAsync(new { status }, http.RequestAborted);
            })
            .WithTopic(new TopicOptions { PubsubName = DaprBus.PubSub, Name = topic, DeadLetterTopic = deadLetters, Metadata = Durable })
            .RequireAuthorization(Sidecar.Policy)
            // The sidecar has a token of its own kind, and hands over as much as it has.
            .DisableRateLimiting()
            .ExcludeFromDescription();

    private static async Task<string> Receive(Inbox inbox, string topic, ReadOnlyMemory<byte> body, ILogger log, CancellationToken cancel)
    {
        if (EventEnvelope.Read(body, topic) is not { } delivery)
        {
            log.LogError("{Service} cannot read a message of {Topic}: it goes to the dead letters", inbox.Service, topic);
            return Drop;
        }
        // Of a publisher that this service does not listen to: nothing to do, as on the bus of one process.
        if (!inbox.Topics.Contains((delivery.Publisher, delivery.Type)))
            return Success;
        // Of a position that was lost with a database and means something else now, or of which that is not known yet: healing reads what stands in the journal.
        if (!inbox.IsOfNow(delivery))
            return Success;
        return await inbox.Take(delivery, cancel) is Receipt.Applied or Receipt.TooEarly ? Success : Retry;
    }

    /// <summary>Healing applies the event itself; what stays here is that the bus gave up on it, for whoever searches the audit trail.</summary>
    private static async Task<string> Keep(Inbox inbox, IServiceJournal journal, ReadOnlyMemory<byte> body, ILogger log, CancellationToken cancel)
    {
        var letter = EventEnvelope.Describe(body, inbox.Topics);
        log.LogError("The bus gave up delivering {Type} {Position} of {Publisher} to {Service}", letter.Type, letter.Position, letter.Publisher, inbox.Service);
        await journal.Append(inbox.Service, letter, cancel);
        return Success;
    }
}
