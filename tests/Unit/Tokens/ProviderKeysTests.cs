using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Unit.Tokens;

/// <summary>An identity provider publishes keys for all its own purposes; one that cannot be used here costs no other its use.</summary>
public sealed class ProviderKeysTests
{
    [Theory]
    [InlineData("a short one", "an RSA key is shorter than 2048 bits")]
    [InlineData("a private one", "it holds a private or secret key, which nobody but its owner may have")]
    [InlineData("the same name again", "two keys have the same kid")]
    [InlineData("one off the curve", "it is not a JWK set")]
    [InlineData("half a character", "a key cannot be read")]
    [InlineData("a number for its use", "a key cannot be read")]
    public void AKeyThatCannotBeUsed_IsPassedOver_AndTheOthersAreGood(string what, string why)
    {
        using var first = JwtKey.New();
        using var last = JwtKey.New("RS256", "key-2");
        var (keys, passedOver) = VerificationKey.SetOfProvider(Set(first.Public().ToJsonString(), Bad(what), last.Public().ToJsonString()));
        Assert.Equal(["key-1", "key-2"], keys.Select(key => key.Id));
        Assert.Equal([why], passedOver);
        // Alone it is no set at all.
        if (what != "the same name again")
            Assert.Equal(why, Assert.Throws<FormatException>(() => VerificationKey.SetOfProvider(Set(Bad(what)))).Message);
    }

    [Fact]
    public void ManyKeys_AreTakenUpToTwenty()
    {
        using var key = JwtKey.New();
        var (keys, passedOver) = VerificationKey.SetOfProvider(Set([.. Enumerable.Range(0, 22).Select(at => With(key, one => one["kid"] = $"key-{at}").ToJsonString())]));
        Assert.Equal((20, 2), (keys.Count, passedOver.Count));
    }

    private static string Bad(string what)
    {
        using var key = JwtKey.New();
        using var rsa = RSA.Create(what == "a short one" ? 1024 : 2048);
        var number = rsa.ExportParameters(includePrivateParameters: true);
        var bad = what switch
        {
            "a short one" => new JsonObject { ["kty"] = "RSA", ["kid"] = "short", ["n"] = System.Buffers.Text.Base64Url.EncodeToString(number.Modulus), ["e"] = "AQAB" },
            "a private one" => With(key, one => (one["kid"], one["d"]) = ("private", one["x"]!.DeepClone())),
            "one off the curve" => With(key, one => (one["kid"], one["y"]) = ("off", one["x"]!.DeepClone())),
            "a number for its use" => With(key, one => (one["kid"], one["use"]) = ("number", 1)),
            // Under a name that another has.
            _ => key.Public(),
        };
        // Which cannot be written in another way.
        return what == "half a character" ? """{"kty":"EC","crv":"P-256","kid":"half","x":"\ud83d","y":"AA"}""" : bad.ToJsonString();
    }

    private static JsonObject With(JwtKey key, Action<JsonObject> change)
    {
        var jwk = key.Public();
        change(jwk);
        return jwk;
    }

    private static string Set(params string[] keys) => $$"""{"keys":[{{string.Join(',', keys)}}]}""";
}
