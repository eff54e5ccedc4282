using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Hosting;
using Sloring.Registration.Domain;
using Activator = Sloring.Contracts.Registration.V1.Activator;

namespace Sloring.Registration;

/// <summary>What requests hold, as the rules take it.</summary>
internal static class Wire
{
    /// <summary>The person who acts: named by a system that acts for people, else by the token.</summary>
    /// <exception cref="RejectedException">SLR-114, SLR-115, SLR-116, SLR-902, SLR-912, SLR-914.</exception>
    public static Person Acting(this Caller caller, Activator? named, bool leaderOnly = false) =>
        (caller.Is(Roles.EpjAdapter)
            ? Person.NamedBy(named, leaderOnly)
            : Person.OfToken(caller.PersonId, caller.Is(Roles.Leader), caller.UnitSorId, named)).Value;

    /// <summary>The person whom an EPJ adapter names in a message.</summary>
    public static Activator? ToWire(this EdgeActivator? named) => named is null
        ? null
        : new Activator { PersonId = named.PersonId ?? "", Role = named.Role ?? "", UnitSorId = named.UnitSorId ?? "" };
}
