using Sloring.Contracts;
using Sloring.Registration.Domain;
using Xunit;
using Activator = Sloring.Contracts.Registration.V1.Activator;

namespace Sloring.Tests.Unit.Registration;

public sealed class PersonTests
{
    [Theory] // M2: a system names the person it acts for
    [InlineData("anna.k", "health-worker", "", false, null)]
    [InlineData("anna.k", "leader", "", true, null)]
    [InlineData("anna.k", "leader", "441471000016003", false, "SLR-912")]
    [InlineData("", "leader", "", false, "SLR-114")]
    [InlineData("anna.k", "", "", false, "SLR-114")]
    [InlineData("Anna Krogh", "leader", "", false, "SLR-914")]
    [InlineData("6703701234", "leader", "", false, "SLR-914")]
    [InlineData("670370-1234", "leader", "", false, "SLR-914")]
    [InlineData("67-03-70.1234", "leader", "", false, "SLR-914")]
    [InlineData("hw6703701234x", "leader", "", false, "SLR-914")]
    [InlineData("7101901234-1", "leader", "", false, "SLR-914")]
    [InlineData("9903701234", "leader", "", false, null)]
    [InlineData("106703701234", "leader", "", false, null)]
    [InlineData("67037012-1234-4abc-8def-0123456789ab", "leader", "", false, null)]
    [InlineData("anna.k", "region", "", false, "SLR-116")]
    [InlineData("anna.k", "health-worker", "", true, "SLR-116")]
    public void NamedPerson_IsChecked(string personId, string role, string unit, bool leaderOnly, string? code)
    {
        var named = new Activator { PersonId = personId, Role = role, UnitSorId = unit };
        var rejected = Record.Exception(() => Person.NamedBy(named, leaderOnly).Value) as RejectedException;
        Assert.Equal(code, rejected?.Rejection.Code);
    }

    [Fact] // M2: ids as EPJ systems give them
    public void IdsOfOtherSystems_AreNotTakenForCprNumbers()
    {
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++)
        {
            var uuid = new byte[16];
            random.NextBytes(uuid);
            Assert.False(Texts.LooksLikeCpr(new Guid(uuid).ToString("D")));
            Assert.False(Texts.LooksLikeCpr(random.NextInt64(100_000_000_000, 999_999_999_999).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    [Fact] // M2
    public void SystemWithoutAPerson_IsRejected() => Assert.Equal("SLR-114", Person.NamedBy(null, false).Rejection?.Code);

    [Fact] // M2
    public void PersonOfTheToken_CannotNameAnother()
    {
        Assert.Equal("SLR-115", Person.OfToken("p1", true, null, new Activator()).Rejection?.Code);
        Assert.Equal("SLR-902", Person.OfToken(null, true, null, null).Rejection?.Code);
        Assert.Equal(new Person("p1", "leader", "u"), Person.OfToken("p1", true, "u", null).Value);
        Assert.Equal(new Person("p1", "health-worker", null), Person.OfToken("p1", false, null, null).Value);
    }
}
