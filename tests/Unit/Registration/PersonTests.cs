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
    [InlineData("anna.k", "region", "", false, "SLR-116")]
    [InlineData("anna.k", "health-worker", "", true, "SLR-116")]
    public void NamedPerson_IsChecked(string personId, string role, string unit, bool leaderOnly, string? code)
    {
        var named = new Activator { PersonId = personId, Role = role, UnitSorId = unit };
        var rejected = Record.Exception(() => Person.NamedBy(named, leaderOnly).Value) as RejectedException;
        Assert.Equal(code, rejected?.Rejection.Code);
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
