using Sloring.Contracts;

namespace Sloring.Tokens;

/// <summary>On what ground a citizen sees another person's data.</summary>
/// <param name="Urn">As the national service writes it, with the other person's CPR number at the end.</param>
/// <param name="Name">power-of-attorney, ward-custody, partly-ward-custody or parental-custody.</param>
/// <param name="Person">The person whose data is shown.</param>
public sealed record Relation(string Urn, string Name, CprNumber Person)
{
    /// <summary>
    /// The national service's URNs. The first two are documented in full; of the other two only the last word is, and what stands before it is inferred from
    /// the second. One form for all of them, so a provider that writes them otherwise needs a line here and no more.
    /// </summary>
    private static readonly (string Prefix, string Name)[] Forms =
    [
        ("urn:dk:healthcare:saml:actThroughProcurationBy:cprNumberIdentifier:", "power-of-attorney"),
        ("urn:dk:healthcare:saml:actThrough:WardCustody:cprNumberIdentifier:", "ward-custody"),
        ("urn:dk:healthcare:saml:actThrough:PartlyWardCustody:cprNumberIdentifier:", "partly-ward-custody"),
        ("urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:", "parental-custody"),
    ];

    /// <summary>
    /// The relation that a request asks for, if the citizen's own token asserts it word for word. What a request says of a relation only ever chooses among
    /// what the token says.
    /// </summary>
    public static Relation? Asserted(string asked, IReadOnlyList<string> inToken) => inToken.Contains(asked, StringComparer.Ordinal) ? Of(asked) : null;

    /// <summary>The relation that a URN names; null where it names none.</summary>
    public static Relation? Of(string urn)
    {
        foreach (var (prefix, name) in Forms)
        {
            if (urn.StartsWith(prefix, StringComparison.Ordinal) && CprNumber.TryParse(urn[prefix.Length..], out var person))
                return new Relation(urn, name, person);
        }
        return null;
    }
}
