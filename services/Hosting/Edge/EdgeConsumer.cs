namespace Sloring.Hosting;

/// <summary>What a service does when a message of an outside system reaches it: the same as when the call comes by gRPC.</summary>
public interface IEdgeConsumer<in TMessage> where TMessage : class
{
    /// <summary>Carries the message out and gives what is sent in answer. May come twice: a repeat changes nothing.</summary>
    /// <exception cref="Contracts.RejectedException">No, and why: the message goes to its queue's errors, unless trying again may help.</exception>
    Task<EdgeSending> Handle(TMessage message, Caller caller, CancellationToken cancel);
}

/// <summary>What a service tells outside systems of its journal's entries.</summary>
public interface IEdgeTeller
{
    /// <summary>What is sent because of an entry; nothing for most.</summary>
    Task<IReadOnlyList<EdgeSending>> Of(JournalEntry entry, CancellationToken cancel);
}

/// <summary>A message on its way out.</summary>
/// <param name="Body">A record of <c>Contracts.Edge</c>, or what writes itself as one; sent as JSON.</param>
/// <param name="Exchange">Topic exchange; null for an answer to whoever sent the message, if it asked for one.</param>
/// <param name="RoutingKey">Routing key.</param>
/// <param name="CorrelationId">What it answers; null for the correlation id of the message answered.</param>
/// <param name="MessageId">The same in a repeat, where repeats can be.</param>
/// <param name="TraceParent">W3C trace context of its cause; null for the one at hand.</param>
public sealed record EdgeSending(
    object Body, string? Exchange = null, string RoutingKey = "", string? CorrelationId = null, string? MessageId = null, string? TraceParent = null);
