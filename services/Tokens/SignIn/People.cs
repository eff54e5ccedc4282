using System.Net;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>Somebody who has signed in, as their tokens say.</summary>
/// <param name="Id">The organisation's id of the person.</param>
/// <param name="Name">What people call them.</param>
/// <param name="Roles">What they may do.</param>
/// <param name="Cvr">Their organisation; null for national parts.</param>
/// <param name="UnitSorId">SOR id of their unit.</param>
internal sealed record Person(string Id, string Name, IReadOnlyList<string> Roles, string? Cvr, string? UnitSorId)
{
    /// <summary>Their authorisation id as a health professional; null without one.</summary>
    public string? AuthorisationId { get; init; }

    /// <summary>A citizen's own CPR number; null for whoever is here at work.</summary>
    public string? Cpr { get; init; }

    /// <summary>CPR numbers of those whom a citizen acts for (rule E4).</summary>
    public IReadOnlyList<string> ActsFor { get; init; } = [];

    /// <summary>Only what the roles allow: who has lost a role has lost what went with it.</summary>
    public static Person Of(string id, string name, IReadOnlyList<string> roles, string? cvr, string? unitSorId, string? authorisationId, string? cpr, IEnumerable<string> actsFor) => new(id, name, roles, cvr, unitSorId)
    {
        AuthorisationId = authorisationId,
        Cpr = roles.Contains(Hosting.Roles.Citizen) ? cpr : null,
        ActsFor = roles.Contains(Hosting.Roles.CitizenRepresentative) ? [.. actsFor] : [],
    };
}

/// <summary>Who may sign in, and whether a session still holds.</summary>
internal sealed class People(Clients clients, TokenState state, IOptions<TokenServiceOptions> options, TimeProvider clock)
{
    /// <summary>Who can be chosen on the page of the demo.</summary>
    public IReadOnlyList<ClientOptions> Personas => clients.Personas;

    /// <summary>Begins a session of somebody who has just shown who they are.</summary>
    /// <param name="account">Id of the persona, or <c>person:</c> and the person's.</param>
    /// <param name="given">What the provider says; null for a persona.</param>
    /// <param name="from">The address that their browser has.</param>
    /// <exception cref="RejectedException">SLR-628.</exception>
    public Session Begin(string account, ProviderPerson? given, IPAddress? from)
    {
        var now = clock.GetUtcNow();
        var session = new Session(Guid.NewGuid().ToString("N"), account, now, now.AddHours(options.Value.SessionHours)) { Given = given, From = Caller.NetworkOf(from) };
        return Known(session) is null ? throw new RejectedException(Rejections.PersonRefused) : session;
    }

    /// <summary>The person of a session; null when it is over: by its time, by signing out, because they were revoked meanwhile, or are not in the settings any longer.</summary>
    /// <param name="session">The session.</param>
    /// <param name="shown">When what shows it was given: what is older than a revocation is refused after a restoration too.</param>
    public Person? Of(Session session, DateTimeOffset shown)
    {
        var now = state.Now();
        return session.Ends > clock.GetUtcNow() && !now.Ended.ContainsKey(session.Id) && Known(session) is { } person
            && !now.Refuses(session.Account, shown) && !now.Refuses(RevocationList.Person(person.Id), shown)
            ? person
            : null;
    }

    /// <summary>Ends a session, at every replica.</summary>
    public Task End(string sessionId, DateTimeOffset until, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        return state.Change(was => was with { Ended = was.Ended.RemoveRange(was.Ended.Where(one => one.Value <= now).Select(one => one.Key)).SetItem(sessionId, until) }, cancel);
    }

    /// <summary>The person by the settings of today, unless revoked. A session of another way of signing in is nobody's.</summary>
    private Person? Known(Session session)
    {
        var person = (options.Value.SignIn, session.Given) switch
        {
            (SignInWays.Demo, null) when clients.Find(session.Account) is { PersonId: { } id } persona => Person.Of(id, persona.Name, [.. persona.Roles], persona.Cvr, persona.UnitSorId, persona.AuthorisationId, persona.Cpr, persona.ActsFor),
            (SignInWays.OpenId, { } given) when RolesOf(given) is { Length: > 0 } roles => Person.Of(given.Id, given.Name, roles, given.Cvr, given.UnitSorId, given.AuthorisationId, given.Cpr, given.ActsFor),
            _ => null,
        };
        var now = state.Now();
        return person is null || now.IsRevoked(session.Account) || now.IsRevoked(RevocationList.Person(person.Id)) ? null : person;
    }

    /// <summary>By the table of the settings; what is not in it is no role.</summary>
    private string[] RolesOf(ProviderPerson given) => [.. options.Value.OpenIdProvider.Roles.Where(known => given.Roles.Contains(known.Value)).Select(known => known.Role).Distinct()];
}
