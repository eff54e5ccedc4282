using Sloring.Contracts.Operation.V1;
using Sloring.Portal;
using Xunit;

namespace Sloring.Tests.Unit.Portal;

public sealed class ShowTests
{
    [Theory]
    [InlineData("0.1.0+81465b0cafe81465b0cafe", "0.1.0+81465b0")]
    [InlineData("0.1.0+814", "0.1.0+814")]
    [InlineData("0.1.0", "0.1.0")]
    [InlineData("", "")]
    public void AVersion_IsShownWithTheBeginningOfItsCommit(string version, string shown) => Assert.Equal(shown, Show.Version(version));

    [Theory]
    [InlineData(0, "0.0")]
    [InlineData(2.345, "2.3")]
    [InlineData(99.9, "99.9")]
    [InlineData(3_600.4, "3600")]
    public void Seconds_AreShownAsExactlyAsTheyMatter(double seconds, string shown) => Assert.Equal(shown, Show.Seconds(seconds));

    [Fact]
    public void EveryStateOfADeadLetter_IsSaidInWordsOfItsOwn() =>
        Assert.Equal(3, Enum.GetValues<DeadLetterState>().Select(Show.State).Distinct().Count());
}
