using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sloring.Contracts;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Unit.Soap.Tickets;

namespace Sloring.Tests.Unit.Soap;

/// <summary>
/// Random and mutated envelopes against all that reads them before a use case does: the answer is a rejection of ours or the ticket as it was signed, soon, and
/// never anything else. SLORING_FUZZ_CASES asks for more cases (a million by night), SLORING_FUZZ_SEED for those of an earlier run.
/// </summary>
public sealed class SoapFuzzTests(ITestOutputHelper output)
{
    private static readonly TimeSpan LongestCase = TimeSpan.FromSeconds(10);

    /// <summary>Pieces of XML that have broken readers before.</summary>
    private static readonly string[] Pieces =
    [
        "<!-- -->", "<![CDATA[", "]]>", "<?x y?>", "&amp;", "&x;", "&#0;", "&#x10FFFF;", "<!DOCTYPE a [<!ENTITY x \"y\">]>", "<!DOCTYPE a SYSTEM \"http://127.0.0.1:9/\">",
        " id=\"IDCard\"", " ID=\"IDCard\"", " xmlns=\"\"", " xmlns:saml=\"urn:x\"", " xmlns:a=\"\"", "<a>", "</a>", "<a/>", "</soap:Body>", "<soap:Body>", "</saml:Assertion>",
        "<saml:Assertion>", "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/>", "<Reference URI=\"#IDCard\"/>", "<Object>", "\0", "\ufffe", "\ud83d\ude00", "\"", "'", "<", ">",
        "http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/2000/09/xmldsig#hmac-sha256", "#xpointer(/)", "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00", "-1", "99999999999999999999",
    ];

    [Fact]
    public void WhateverComes_IsRefusedOrIsTheTicketThatWasSigned()
    {
        var cases = Number("SLORING_FUZZ_CASES", 20_000);
        var seed = Number("SLORING_FUZZ_SEED", Random.Shared.Next());
        output.WriteLine($"SLORING_FUZZ_SEED={seed} SLORING_FUZZ_CASES={cases}");
        var (system, person) = (Trusted.Ticket(OfSystem), Trusted.Ticket(OfPerson));
        byte[][] good =
        [
            Encoding.UTF8.GetBytes(DemoIssuer.Envelope(system, Body)), Encoding.UTF8.GetBytes(DemoIssuer.Envelope(person, Body)),
            Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(DemoIssuer.Envelope(system, Body))).ToArray(),
        ];
        Ticket[] signed = [Check(system).Value, Check(person).Value];
        var accepted = 0;
        for (var n = 0; n < cases; n++)
        {
            var random = new Random(HashCode(seed, n));
            var bytes = Mutated(random, good);
            var started = Stopwatch.GetTimestamp();
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
            catch (Exception e)
            {
                Assert.Fail($"SLORING_FUZZ_SEED={seed}, case {n}: {e}\n{Convert.ToBase64String(bytes)}");
            }
            Assert.True(Stopwatch.GetElapsedTime(started) < LongestCase, $"SLORING_FUZZ_SEED={seed}, case {n} took {Stopwatch.GetElapsedTime(started)}.");
        }
        output.WriteLine($"{accepted} of {cases} were left whole enough to be accepted");
        Assert.InRange(accepted, 1, cases - 1); // else nothing got as far as the signature, or nothing was changed
    }

    private static byte[] Mutated(Random random, byte[][] good)
    {
        if (random.Next(20) == 0)
        {
            var noise = new byte[random.Next(400)];
            random.NextBytes(noise);
            return noise;
        }
        var bytes = good[random.Next(good.Length)].ToList();
        for (var times = 1 + random.Next(3); times > 0 && bytes.Count > 0; times--)
        {
            var (at, length) = (random.Next(bytes.Count), random.Next(1, 200));
            length = Math.Min(length, bytes.Count - at);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 4:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("<a>", random.Next(2_000)))));
                    break;
                case 5:
                    var from = Pieces[random.Next(Pieces.Length)];
                    bytes = [.. Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes.ToArray()).Replace(from, Pieces[random.Next(Pieces.Length)], StringComparison.Ordinal))];
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>The same in every process, unlike that of .NET.</summary>
    private static int HashCode(int seed, int n) => unchecked((seed * 16_777_619) ^ (n * 65_537));

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
