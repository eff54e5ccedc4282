using System.Text;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>
/// Who sends, by the AMQP property user-id: the broker refuses a message whose user-id is not the user of the connection that it came by.
/// The organisation is the one mapped to that user, never one that the message names (rule M2). A user is revoked as the client of the same id.
/// </summary>
public sealed class EdgeSenders(IOptions<EdgeOptions> options, Revocations revocations, TimeProvider clock)
{
    /// <summary>The header in which the platform, and nobody else, names the user of a message that it sends on.</summary>
    internal const string UserHeader = "sloring-user";

    internal const string TraceHeader = "traceparent";

    /// <summary>The broker's own header on a message that it has put among the errors itself.</summary>
    internal const string DeadLetteredByBroker = "x-death";

    private const int LongestUser = 64;

    /// <summary>So long after its first message a process waits to hear who is revoked.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lazy<Task> _late = new(() => Task.Delay(Patience, clock));

    private readonly string _own = options.Value.User;

    private readonly Dictionary<string, Caller> _callers = options.Value.Users.ToDictionary(
        pair => pair.Key,
        pair => new Caller(pair.Key, null, CvrNumber.Parse(pair.Value.Cvr), new HashSet<string> { pair.Value.Role }, null, "amqp"));

    /// <summary>The sender of a message that asks for <paramref name="operation"/>.</summary>
    /// <exception cref="RejectedException">SLR-918, SLR-919, SLR-920.</exception>
    public Caller Of(string? user, string operation)
    {
        if (string.IsNullOrEmpty(user))
            throw new RejectedException(Rejections.SenderMissing);
        if (!_callers.TryGetValue(user, out var caller))
            throw new RejectedException(Rejections.SenderUnknown);
        return caller.Roles.Overlaps(Operations.Allowed[operation]) ? caller : throw new RejectedException(Rejections.SenderNotAllowed);
    }

    /// <summary>Completes once it is known who is revoked: before, nobody is told anything.</summary>
    internal Task Known(CancellationToken cancel) => revocations.Known(cancel);

    /// <summary>
    /// The same for messages, but not for ever where the token service is away as this process starts: an activation that is held up lets a name be seen, and one of a
    /// revoked sender, once in such a start, hides one too many.
    /// </summary>
    internal Task KnownOrLate(CancellationToken cancel) => _late.Value.IsCompleted ? Task.CompletedTask : Task.WhenAny(Known(cancel), _late.Value);

    /// <summary>Lets through whoever is not revoked now. When a message was sent only its sender says, so one from before the revocation is not taken either.</summary>
    /// <exception cref="RejectedException">SLR-609.</exception>
    internal void MustNotBeRevoked(Caller caller)
    {
        if (IsRevoked(caller))
            throw new RejectedException(Rejections.ClientRevoked);
    }

    /// <summary>
    /// The user whose message it is: its user-id; of a message that the platform has put into the queue again, whom it names. From any other user-id that header says
    /// nothing, since whoever sends may write what headers they like.
    /// </summary>
    internal string? UserOf(IReadOnlyBasicProperties sent) => sent.UserId == _own ? Named(sent) ?? _own : sent.UserId;

    /// <summary>
    /// The user whose message among the errors it is. Those that the platform has refused have no user-id and name the user. Those that the broker has put there came as
    /// they were sent, with user-id and headers, and marked by it: without a user-id they are nobody's, whatever they say.
    /// </summary>
    internal string? UserOfRefused(IReadOnlyBasicProperties refused) =>
        !string.IsNullOrEmpty(refused.UserId) ? UserOf(refused) : refused.Headers?.ContainsKey(DeadLetteredByBroker) == true ? null : Named(refused);

    /// <summary>The properties of a message among the errors, for its queue: the same message of the same user, by the platform's hand.</summary>
    internal BasicProperties Again(IReadOnlyBasicProperties refused)
    {
        var properties = new BasicProperties
        {
            ContentType = refused.ContentType,
            MessageId = refused.MessageId,
            CorrelationId = refused.CorrelationId,
            Timestamp = refused.Timestamp,
            Headers = new Dictionary<string, object?>(),
        };
        if (refused.Headers?.TryGetValue(TraceHeader, out var trace) == true)
            properties.Headers[TraceHeader] = trace;
        if (UserOfRefused(refused) is { Length: > 0 } user)
            (properties.UserId, properties.Headers[UserHeader]) = (_own, user);
        return properties;
    }

    /// <summary>Client ids of an organisation's data sources that are not revoked.</summary>
    public IEnumerable<string> DataSourcesOf(CvrNumber cvr) =>
        _callers.Values.Where(caller => caller.Cvr == cvr && caller.Is(Roles.DataSource) && !IsRevoked(caller)).Select(caller => caller.ClientId);

    private bool IsRevoked(Caller caller) => revocations.Refuse(caller.ClientId, null, clock.GetUtcNow());

    private static string? Named(IReadOnlyBasicProperties sent) =>
        sent.Headers?.TryGetValue(UserHeader, out var value) == true && value is byte[] { Length: > 0 and <= LongestUser } bytes ? Encoding.UTF8.GetString(bytes) : null;
}
