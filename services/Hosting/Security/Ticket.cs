using System.Security.Cryptography.X509Certificates;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Whom a security ticket speaks for: exactly one of these.</summary>
public enum UserType
{
    /// <summary>A system (DGWS level 3).</summary>
    System,

    /// <summary>A health professional (DGWS level 4).</summary>
    HealthProfessional,
}

/// <summary>Who signs tickets that are trusted.</summary>
/// <param name="Name">As tickets name it in saml:Issuer.</param>
/// <param name="Certificates">Its certificates; several while it changes them.</param>
public sealed record TrustedIssuer(string Name, IReadOnlyList<X509Certificate2> Certificates);

/// <summary>What a checked ticket says. All of it stood inside the element whose signature was verified. Prints without the person.</summary>
/// <param name="UserType">System or health professional.</param>
/// <param name="Cvr">The organisation; null where the ticket names its care provider otherwise.</param>
/// <param name="System">Name of the calling system.</param>
/// <param name="PersonCpr">CPR number of the health professional; null for a system.</param>
/// <param name="AuthorisationId">Authorisation id of the health professional, 5 characters; null where there is none.</param>
/// <param name="Role">Role or professional group, for example "7170"; null where there is none.</param>
/// <param name="IssuedAt">From when it is good: by this a revocation tells those from before it.</param>
public sealed record Ticket(UserType UserType, CvrNumber? Cvr, string System, CprNumber? PersonCpr, string? AuthorisationId, string? Role, DateTimeOffset IssuedAt)
{
    public override string ToString() => $"{UserType} ticket of {Cvr}";
}

/// <summary>By what a ticket is measured.</summary>
/// <param name="Issuers">Whose tickets are trusted.</param>
/// <param name="Audience">Whom a ticket that names audiences must name.</param>
/// <param name="AudienceRequired">A ticket that names no audience is refused.</param>
/// <param name="Skew">How far the issuer's clock may be from ours.</param>
public sealed record TicketPolicy(IReadOnlyList<TrustedIssuer> Issuers, string Audience, bool AudienceRequired, TimeSpan Skew);
