using System.Text;
using Sloring.Contracts;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Unit.Soap.Tickets;

namespace Sloring.Tests.Unit.Soap;

/// <summary>
/// Random and mutated envelopes against all that reads them before a use case does: the answer is a rejection of ours or the ticket as it was signed, soon, and
/// never anything else.
/// </summary>
[Trait("kind", "fuzz")]
public sealed class SoapFuzzTests(ITestOutputHelper output)
{
    /// <summary>Pieces of XML that have broken readers before.</summary>
    private static readonly string[] Pieces =
    [
        "<!-- -->", "<![CDATA[", "]]>", "<?x y?>", "&amp;", "&x;", "&#0;", "&#x10FFFF;", "<!DOCTYPE a [<!ENTITY x \"y\">]>", "<!DOCTYPE a SYSTEM \"http://127.0.0.1:9/\">",
        " id=\"IDCard\"", " ID=\"IDCard\"", " xmlns=\"\"", " xmlns:saml=\"urn:x\"", " xmlns:a=\"\"", "<a>", "</a>", "<a/>", "</soap:Body>", "<soap:Body>", "</saml:Assertion>",
        "<saml:Assertion>", "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/>", "<Reference URI=\"#IDCard\"/>", "<Object>", "\0", "\ufffe", "\ud83d\ude00", "\"", "'", "<", ">",
        "http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/2000/09/xmldsig#hmac-sha256", "#xpointer(/)", "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00", "-1", "99999999999999999999",
        string.Concat(Enumerable.Repeat("<a>", 2_000)),
    ];

    [Fact]
    public async Task WhateverComes_IsRefusedOrIsTheTicketThatWasSigned()
    {
        var (system, person) = (Trusted.Ticket(OfSystem), Trusted.Ticket(OfPerson));
        byte[][] good =
        [
            Encoding.UTF8.GetBytes(DemoIssuer.Envelope(system, Body)), Encoding.UTF8.GetBytes(DemoIssuer.Envelope(person, Body)),
            Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(DemoIssuer.Envelope(system, Body))).ToArray(),
        ];
        Ticket[] signed = [Check(system).Value, Check(person).Value];
        var accepted = 0;
        var fuzzing = Fuzzing.Begin(output.WriteLine);
        await fuzzing.Each(random => random.Mutated(random.Pick(good), Pieces), bytes =>
        {
            try
            {
                var ticket = TicketRules.Check(SoapMessage.Parse(bytes).Security, Policy, Now);
                if (ticket.Rejection is null)
                {
                    accepted++;
                    Assert.Contains(ticket.Value, signed);
                }
            }
            catch (RejectedException)
            {
                // One of ours.
            }
        });
        output.WriteLine($"{accepted} of {fuzzing.Cases} were left whole enough to be accepted");
        if (!Fuzzing.IsAlone)
            Assert.InRange(accepted, 1, fuzzing.Cases - 1); // else nothing got as far as the signature, or nothing was changed
    }
}
