using Sloring.Contracts;
using Activator = Sloring.Contracts.Registration.V1.Activator;

namespace Sloring.Registration.Domain;

/// <summary>The person who acts, by the organisation's own id.</summary>
/// <param name="PersonId">Local id; never a CPR number or a name.</param>
/// <param name="Role">"health-worker" or "leader".</param>
/// <param name="UnitSorId">Unit of the person; decides the approval level (rule A1).</param>
public sealed record Person(string PersonId, string Role, string? UnitSorId)
{
    public const string HealthWorker = "health-worker";
    public const string Leader = "leader";

    /// <summary>A person named by a system that acts for people (rule M2: a health worker or a leader).</summary>
    public static Decided<Person> NamedBy(Activator? named, bool leaderOnly)
    {
        if (named is null || named.PersonId.Length == 0 || named.Role.Length == 0)
            return Rejections.ActivatorMissing.For("activator");
        var id = Texts.PersonId(named.PersonId, Rejections.IdInvalid, "activator.person_id");
        if (named.Role != Leader && (leaderOnly || named.Role != HealthWorker))
            return Rejections.ActivatorRoleInvalid.For("activator.role");
        if (named.UnitSorId.Length > 0 && !SorId.IsValid(named.UnitSorId))
            return Rejections.SorInvalid.For("activator.unit_sor_id");
        return new Person(id, named.Role, named.UnitSorId.Length > 0 ? named.UnitSorId : null);
    }

    /// <summary>A person whom the token names itself.</summary>
    public static Decided<Person> OfToken(string? personId, bool isLeader, string? unitSorId, Activator? named)
    {
        if (named is not null)
            return Rejections.ActivatorNotAllowed.For("activator");
        if (personId is null)
            return Rejections.NotAllowed;
        return new Person(personId, isLeader ? Leader : HealthWorker, unitSorId);
    }
}
