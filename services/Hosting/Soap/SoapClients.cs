using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Who calls by a checked ticket, and whether that client is whitelisted for the operation and not revoked.</summary>
internal sealed class SoapClients(IOptions<SoapOptions> options, PatientKeys patients, TokenTrust trust)
{
    private readonly Dictionary<(string Cvr, string System), (string Name, SoapClient Client)> _clients =
        options.Value.Clients.ToDictionary(pair => (pair.Value.Cvr, pair.Value.System), pair => (pair.Key, pair.Value));

    /// <summary>The client's persistent unique key as faults name it. (Inferred: of what the national service makes it is not documented.)</summary>
    public static string KeyOf(Ticket ticket) => $"{ticket.Cvr}-{ticket.System}";

    /// <summary>The caller and the client's settings.</summary>
    /// <exception cref="RejectedException">SLR-609, SLR-807, SLR-808, SLR-809, SLR-903.</exception>
    public (Caller Caller, SoapClient Client) Of(Ticket ticket, SoapOperation operation, string? from)
    {
        if (operation.SystemOnly && ticket.UserType != UserType.System)
            throw new RejectedException(Rejections.SystemTicketRequired);
        if (!_clients.TryGetValue((ticket.Cvr?.ToString() ?? "", ticket.System), out var known) || !known.Client.Operations.Contains(operation.Name))
            throw new RejectedException(operation.Name == "GetCurrentSalt" ? Rejections.SaltNotWhitelisted : Rejections.SoapNotWhitelisted);
        if (trust.IsRevoked(RevocationList.SoapClient(known.Name), null, ticket.IssuedAt))
            throw new RejectedException(Rejections.ClientRevoked);
        var unit = known.Client.UnitSorId.Length > 0 ? known.Client.UnitSorId : null;
        return (new Caller(known.Name, PersonOf(ticket, known.Name), ticket.Cvr, new HashSet<string> { operation.Role }, unit, from), known.Client);
    }

    /// <summary>
    /// Who stands in the journal, which names no CPR number: the authorisation id, which is public; of a person without one a keyed hash; of a system the system.
    /// </summary>
    private string PersonOf(Ticket ticket, string client)
    {
        if (ticket.PersonCpr is not { } cpr)
            return "system:" + client;
        if (AuthorisationId.IsValid(ticket.AuthorisationId))
            return Caller.ByAuthorisation(ticket.AuthorisationId);
        return "hw:" + Convert.ToHexStringLower(HMACSHA256.HashData(patients.FeedSecret("soap-person"), Encoding.ASCII.GetBytes(cpr.Digits)))[..24];
    }
}
