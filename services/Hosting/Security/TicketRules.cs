using System.Xml;
using Sloring.Contracts;
using static Sloring.Hosting.XmlSignatures;

namespace Sloring.Hosting;

/// <summary>
/// The check of a security ticket: a SAML 2.0 assertion in a DGWS header (ID card, level 3 or 4). A pure function. What is used is read from the
/// very copy that the signature was verified over (<see cref="XmlSignatures"/>).
/// </summary>
public static class TicketRules
{
    /// <summary>The ticket in a header <c>wsse:Security</c>.</summary>
    /// <param name="security">The header where it stands in its envelope; null where there is none.</param>
    /// <param name="policy">By what it is measured.</param>
    /// <param name="now">The time.</param>
    public static Decided<Ticket> Check(XmlElement? security, TicketPolicy policy, DateTimeOffset now)
    {
        if (security is null || !security.Elements(SoapNames.Saml, "Assertion").Any())
            return Rejections.TicketMissing;
        try
        {
            var assertion = SignedAssertion(security.Elements(SoapNames.Saml, "Assertion").First(), policy.Issuers, now);
            if (Conditions(assertion, policy, now) is { } untimely)
                return untimely;
            return Read(assertion);
        }
        catch (NotValidException wrong)
        {
            return Rejections.TicketNotValid.For(wrong.What);
        }
    }

    /// <summary>In force now, for us; null where it is.</summary>
    private static Rejection? Conditions(XmlElement assertion, TicketPolicy policy, DateTimeOffset now)
    {
        var conditions = Single(assertion.Elements(SoapNames.Saml, "Conditions"), "conditions");
        var (from, until) = (Instant(conditions.GetAttribute("NotBefore"), "conditions"), Instant(conditions.GetAttribute("NotOnOrAfter"), "conditions"));
        Require(from < until, "conditions");
        if (now + policy.Skew < from)
            return Rejections.TicketNotYetValid;
        if (now - policy.Skew >= until)
            return Rejections.TicketExpired;
        var restrictions = conditions.Elements().ToList();
        // A condition that is not understood is not met (SAML 2.0 core, 2.5.1).
        Require(restrictions.TrueForAll(condition => condition.Is(SoapNames.Saml, "AudienceRestriction")), "conditions");
        Require(restrictions.Count > 0 || !policy.AudienceRequired, "audience");
        Require(restrictions.TrueForAll(restriction => restriction.Elements(SoapNames.Saml, "Audience").Any(audience => audience.WholeText() == policy.Audience)), "audience");
        return null;
    }

    private static Decided<Ticket> Read(XmlElement assertion)
    {
        var attributes = Attributes(assertion);
        var issuedAt = Instant(assertion.Elements(SoapNames.Saml, "Conditions").Single().GetAttribute("NotBefore"), "conditions");
        var userType = UserTypeOf(
            [.. attributes["sosi:IDCardType"].SelectMany(Values)], [.. attributes["sosi:AuthenticationLevel"].SelectMany(Values)],
            attributes.Any(group => group.Key.StartsWith("medcom:User", StringComparison.Ordinal)));
        if (userType.Rejection is { } neitherOrBoth)
            return neitherOrBoth;
        var provider = Single(attributes["medcom:CareProviderID"], "care-provider");
        CvrNumber? cvr = null;
        if (provider.GetAttribute("NameFormat") == "medcom:cvrnumber")
            cvr = CvrNumber.TryParse(Single(Values(provider), "care-provider"), out var number) ? number : throw new NotValidException("care-provider");
        var system = Value("medcom:ITSystemName");
        Require(system is { Length: > 0 and <= 256 }, "system");
        if (userType.Value == UserType.System)
            return new Ticket(UserType.System, cvr, system!, null, null, null, issuedAt);
        Require(CprNumber.TryParse(Value("medcom:UserCivilRegistrationNumber"), out var cpr), "person");
        // SEAL writes UserAuthorizationCode; other libraries leave "User" out.
        var authorisations = attributes["medcom:UserAuthorizationCode"].Concat(attributes["medcom:AuthorizationCode"]).SelectMany(Values).Distinct().ToList();
        Require(authorisations.Count <= 1, "authorisation");
        return new Ticket(UserType.HealthProfessional, cvr, system!, cpr, authorisations.FirstOrDefault(), Value("medcom:UserRole"), issuedAt);

        string? Value(string name) => attributes.Contains(name) ? Single(attributes[name].SelectMany(Values), name) : null;
    }

    /// <summary>
    /// Exactly one user type. A system's ticket has type "system" at level 3 and says nothing of a person; a health professional's has type "user" at
    /// level 4 and says who. (Inferred: the guide documents the two types and the two faults, not by what they are told apart.)
    /// </summary>
    public static Decided<UserType> UserTypeOf(IReadOnlyCollection<string> types, IReadOnlyCollection<string> levels, bool namesPerson)
    {
        var (system, user) = (types.Contains("system"), types.Contains("user") || namesPerson);
        if (system && user)
            return Rejections.UserTypeAmbiguous;
        if (types.Count != 1 || levels.Count != 1)
            return Rejections.UserTypeUnknown;
        return (system, user && types.Contains("user") && namesPerson, levels.First()) switch
        {
            (true, _, "3") => UserType.System,
            (_, true, "4") => UserType.HealthProfessional,
            _ => Rejections.UserTypeUnknown,
        };
    }
}
