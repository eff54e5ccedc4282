using System.Net;
using System.Security.Claims;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Who calls, as the token says.</summary>
/// <param name="ClientId">The calling system.</param>
/// <param name="PersonId">The person; null where a system calls for itself.</param>
/// <param name="Cvr">The organisation; null for platform services and national roles.</param>
/// <param name="Roles">Roles, <see cref="Hosting.Roles"/>.</param>
/// <param name="UnitSorId">SOR id of the person's unit; null when the token names none.</param>
/// <param name="From">The network that the call came from, or that the person signed in from where an app calls for them, for the audit trail: enough to tell a hospital from elsewhere, too little to follow one machine.</param>
public sealed record Caller(string ClientId, string? PersonId, CvrNumber? Cvr, IReadOnlySet<string> Roles, string? UnitSorId, string? From)
{
    /// <summary>When the token ends; null where there is none, as with AMQP.</summary>
    public DateTimeOffset? TokenExpiresAt { get; init; }

    /// <summary>When the token was issued.</summary>
    public DateTimeOffset TokenIssuedAt { get; init; }

    /// <summary>The client that the token service asks for, for the audit trail; nobody else may speak for another.</summary>
    public string? For { get; init; }

    /// <summary>Authorisation id of the person as a health professional; null where the token names none.</summary>
    public string? AuthorisationId { get; init; }

    /// <summary>Who stands in the journal.</summary>
    public string Actor => PersonId ?? ClientId;

    /// <summary>The caller's organisation (rule M2: only ever from the token).</summary>
    /// <exception cref="RejectedException">SLR-903.</exception>
    public CvrNumber RequireCvr() => Cvr ?? throw new RejectedException(Rejections.TokenWithoutCvr);

    /// <summary>The person, where only a person may act.</summary>
    /// <exception cref="RejectedException">SLR-902.</exception>
    public string RequirePerson() => PersonId ?? throw new RejectedException(Rejections.NotAllowed);

    /// <summary>Who stands in the journal where a health professional is known by the authorisation id alone: on the national wire.</summary>
    public static string ByAuthorisation(string authorisationId) => "aut:" + authorisationId.ToUpperInvariant();

    /// <summary>The person as the national wire names them; null where the token names no authorisation id.</summary>
    public string? AlsoKnownAs => AuthorisationId is null ? null : ByAuthorisation(AuthorisationId);

    /// <summary>Every name that the person may stand under in what is kept.</summary>
    public IReadOnlyList<string> PersonIds => [.. ((string?[])[PersonId, AlsoKnownAs]).OfType<string>()];

    /// <summary>Header of a call that the token service makes for a client.</summary>
    public const string ForHeader = "sloring-for";

    public bool Is(string role) => Roles.Contains(role);

    internal static Caller Of(HttpContext http)
    {
        var user = http.User;
        var roles = user.FindAll("roles").Select(claim => claim.Value).ToHashSet();
        return new Caller(
            user.FindFirstValue("client_id") ?? throw new RejectedException(Rejections.TokenMissing),
            user.FindFirstValue("person"),
            user.FindFirstValue("cvr") is { } cvr ? CvrNumber.Parse(cvr) : null,
            roles,
            user.FindFirstValue("unit"),
            user.FindFirstValue("network") ?? NetworkOf(http.Connection.RemoteIpAddress))
        {
            TokenExpiresAt = TokenChecks.Instant(user, "exp"),
            AuthorisationId = user.FindFirstValue("authorisation"),
            TokenIssuedAt = TokenChecks.Instant(user, "iat") ?? DateTimeOffset.MinValue,
            For = roles.Contains(Hosting.Roles.TokenService) && http.Request.Headers.TryGetValue(ForHeader, out var client) ? client.ToString() : null,
        };
    }

    /// <summary>The /24 or /48 that an address lies in.</summary>
    public static string? NetworkOf(IPAddress? address) => Network.Of(address, bits4: 24, bits6: 48);
}

public static class CallerExtensions
{
    public static Caller Caller(this HttpContext http) => Hosting.Caller.Of(http);

    public static Caller Caller(this ServerCallContext context) => Hosting.Caller.Of(context.GetHttpContext());

    /// <summary>A service of the request's scope; shorter than the framework's name where a route is a line.</summary>
    public static T Get<T>(this HttpContext http) where T : notnull =>
        (T)(http.RequestServices.GetService(typeof(T)) ?? throw new InvalidOperationException($"{typeof(T)} is not registered."));
}
