using System.Text;
using Sloring.Hosting;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Unit.Fuzz;

/// <summary>What others give of themselves and operators put into settings: keys, subjects, the register of units. Each is taken, or refused by what says what to set.</summary>
[Trait("kind", "fuzz")]
public sealed class KeyFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "0", "-1", "{}", "[]", "\\ud83d", "\"kty\":\"RSA\",", "\"kty\":\"oct\",", "\"kty\":\"EC\",", "\"k\":\"AAAA\",", "\"d\":\"AAAA\",", "\"crv\":\"P-256\",", "\"crv\":\"P-521\",", "\"alg\":\"ES256\",", "\"alg\":\"none\",",
        "\"x5c\":[\"AAAA\"],", "\"x5c\":[null],", "\"x5t#S256\":\"A\",", "\"use\":\"enc\",", "\"use\":1,", "\"keys\"", "\"kid\":\"a\",", "\"x\":", "\"y\":", "\"n\":", "\"e\":\"AQAB\",",
    ];

    private static readonly string Register = File.ReadAllText(Path.Combine(Repository.Root, "samples", "organisations.csv"));

    [Fact]
    public async Task KeySets()
    {
        using var key = JwtKey.New();
        var good = Encoding.UTF8.GetBytes(JwtKey.Set(key));
        await Fuzzing.Begin(output.WriteLine).Each(random => Encoding.UTF8.GetString(random.Mutated(good, Pieces)), json =>
        {
            Refused<FormatException>(() => VerificationKey.Set(json));
            Refused<FormatException>(() => VerificationKey.SetOfProvider(json));
        });
    }

    [Theory] // what once made the reader throw something else
    [InlineData("""{"keys":[{"use":"sig","use":"sig","kty":"EC"}]}""")]
    [InlineData("""{"keys":[],"keys":[]}""")]
    [InlineData("""{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","x":"\ud83d","y":"AA"}]}""")]
    public void AProvidersUnreadableKeySet_IsNone(string json) => Assert.Throws<FormatException>(() => VerificationKey.SetOfProvider(json));

    [Fact]
    public async Task EncryptionKeys()
    {
        using var key = JwtKey.New();
        var own = key.Public();
        own["use"] = "enc";
        var good = Encoding.UTF8.GetBytes(own.ToJsonString());
        Assert.NotNull(Encryption.ReadKey(own.ToJsonString()));
        await Fuzzing.Begin(output.WriteLine).Each(random => Encoding.UTF8.GetString(random.Mutated(good, Pieces)), json => Refused<FormatException>(() => Encryption.ReadKey(json)));
    }

    [Fact]
    public Task Subjects() => Fuzzing.Begin(output.WriteLine).Each(
        random => random.Mutated("CN=epj,O=Region Hovedstaden,OU=\"a,b\",C=DK"), text => Refused<FormatException>(() => Clients.Subject(text)));

    [Fact]
    public Task Tokens() => Fuzzing.Begin(output.WriteLine).Each(random => random.Mutated("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIiwiZXhwIjoxZTQwMCwiYXVkIjpbImIiXX0.AAAA"), token =>
    {
        if (SignedJwt.Peek(token) is not { } claims)
            return;
        SignedJwt.Text(claims, "iss");
        SignedJwt.Texts(claims, "aud");
        SignedJwt.Instant(claims, "exp");
    });

    [Fact]
    public Task Registers() => Fuzzing.Begin(output.WriteLine, share: 20).Each(random => Encoding.UTF8.GetString(random.Mutated(Encoding.UTF8.GetBytes(Register), [";", "\n", "\r", "\"", "1000111000016001", "29190623", ";;", "\ufeff"])), text =>
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, text);
            Refused<InvalidOperationException>(() =>
            {
                var register = new Organisations(Microsoft.Extensions.Options.Options.Create(new OrganisationOptions { File = file }));
                foreach (var unit in register.All)
                    Assert.True(register.SelfAndAbove(unit).Take(100).Count() < 100, "a unit above itself");
                return register;
            });
        }
        finally
        {
            File.Delete(file);
        }
    });

    [Fact]
    public void AUnitAboveItself_IsRefused()
    {
        OrgUnit[] units = [new("1000011000016002", "A", "region", "1000021000016006", default, null), new("1000021000016006", "B", "hospital", "1000011000016002", default, null)];
        Assert.Contains("1000011000016002", Assert.Throws<InvalidOperationException>(() => new Organisations(units)).Message, StringComparison.Ordinal);
    }

    private static void Refused<TException>(Func<object?> read) where TException : Exception
    {
        try
        {
            read();
        }
        catch (TException)
        {
            // It says what is wrong.
        }
    }
}
