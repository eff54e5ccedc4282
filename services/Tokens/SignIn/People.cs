using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>Somebody who has signed in, as their tokens say.</summary>
/// <param name="Id">The organisation's id of the person.</param>
/// <param name="Name">What people call them.</param>
/// <param name="Roles">What they may do.</param>
/// <param name="Cvr">Their organisation; null for national parts.</param>
/// <param name="UnitSorId">SOR id of their unit.</param>
internal sealed record Person(string Id, string Name, IReadOnlyList<string> Roles, string? Cvr, string? UnitSorId);

/// <summary>Who may sign in, and whether a session still holds.</summary>
internal sealed class People(Clients clients, TokenState state, TimeProvider clock)
{
    /// <summary>Who can be chosen on the page of the demo.</summary>
    public IReadOnlyList<ClientOptions> Personas => clients.Personas;

    /// <summary>The person of an account; null when there is none or they have been revoked.</summary>
    public Person? Find(string account)
    {
        if (clients.Find(account) is not { PersonId: { } id } persona)
            return null;
        var now = state.Now();
        return now.IsRevoked(account) || now.IsRevoked(RevocationList.Person(id)) ? null : new Person(id, persona.Name, [.. persona.Roles], persona.Cvr, persona.UnitSorId);
    }

    /// <summary>The person of a session; null when it is over: by its time, by signing out, because they were revoked meanwhile, or are not in the settings any longer.</summary>
    /// <param name="session">The session.</param>
    /// <param name="given">When what shows it was given: what is older than a revocation is refused after a restoration too.</param>
    public Person? Of(Session session, DateTimeOffset given)
    {
        var now = state.Now();
        return session.Ends > clock.GetUtcNow() && !now.Ended.ContainsKey(session.Id) && Find(session.Account) is { } person
            && !now.Refuses(session.Account, given) && !now.Refuses(RevocationList.Person(person.Id), given)
            ? person
            : null;
    }

    /// <summary>Ends a session, at every replica.</summary>
    public Task End(string sessionId, DateTimeOffset until, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        return state.Change(was => was with { Ended = was.Ended.RemoveRange(was.Ended.Where(one => one.Value <= now).Select(one => one.Key)).SetItem(sessionId, until) }, cancel);
    }
}
