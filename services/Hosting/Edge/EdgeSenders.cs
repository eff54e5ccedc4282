using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>
/// Who sends, by the AMQP property user-id: the broker refuses a message whose user-id is not the user of the connection that it came by.
/// The organisation is the one mapped to that user, never one that the message names (rule M2).
/// </summary>
public sealed class EdgeSenders(IOptions<EdgeOptions> options)
{
    private readonly Dictionary<string, Caller> _callers = options.Value.Users.ToDictionary(
        pair => pair.Key,
        pair => new Caller(pair.Key, null, CvrNumber.Parse(pair.Value.Cvr), new HashSet<string> { pair.Value.Role }, null, "amqp"));

    /// <summary>The sender of a message that asks for <paramref name="operation"/>.</summary>
    /// <exception cref="RejectedException">SLR-918, SLR-919, SLR-920.</exception>
    public Caller Of(string? userId, string operation)
    {
        if (string.IsNullOrEmpty(userId))
            throw new RejectedException(Rejections.SenderMissing);
        if (!_callers.TryGetValue(userId, out var caller))
            throw new RejectedException(Rejections.SenderUnknown);
        return caller.Roles.Overlaps(Operations.Allowed[operation]) ? caller : throw new RejectedException(Rejections.SenderNotAllowed);
    }

    /// <summary>Client ids of an organisation's data sources.</summary>
    public IEnumerable<string> DataSourcesOf(CvrNumber cvr) =>
        _callers.Values.Where(caller => caller.Cvr == cvr && caller.Is(Roles.DataSource)).Select(caller => caller.ClientId);
}
