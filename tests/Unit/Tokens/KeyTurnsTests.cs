using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Unit.Tokens;

/// <summary>Which signing key signs and which are listed, at every moment of a change.</summary>
public sealed class KeyTurnsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private static readonly KeyTurn[] Turns = [new("first", DateTimeOffset.MinValue), new("second", Noon), new("third", Noon.AddHours(1))];

    [Theory]
    [InlineData(-1, "first", "first second third", true)]
    [InlineData(0, "second", "first second third", true)]
    [InlineData(299, "second", "first second third", true)]
    [InlineData(300, "second", "second third", true)]
    [InlineData(3_599, "second", "second third", true)]
    [InlineData(3_600, "third", "second third", false)]
    [InlineData(3_900, "third", "third", false)]
    [InlineData(900_000, "third", "third", false)]
    public void KeyIsListedBeforeItSigns_AndUntilItsLastTokenHasExpired(int seconds, string signs, string listed, bool underWay)
    {
        var now = Noon.AddSeconds(seconds);
        Assert.Equal(signs, KeyTurns.Current(Turns, now).Id);
        Assert.Equal(listed, string.Join(' ', KeyTurns.Listed(Turns, now, TimeSpan.FromSeconds(300)).Select(turn => turn.Id)));
        Assert.Equal(underWay, KeyTurns.IsUnderWay(Turns, now));
    }

    [Fact]
    public void OneKey_IsAlwaysTheOne()
    {
        Assert.Equal("first", KeyTurns.Current(Turns[..1], Noon).Id);
        Assert.Equal("first", Assert.Single(KeyTurns.Listed(Turns[..1], Noon, TimeSpan.Zero)).Id);
        Assert.False(KeyTurns.IsUnderWay(Turns[..1], Noon));
    }
}
