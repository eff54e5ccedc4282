using Sloring.Contracts;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Unit.Tokens;

/// <summary>What assertions have been used: remembered until they would have expired, bounded, and each client by itself.</summary>
public sealed class AssertionMemoryTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void UsedOnce_UntilItWouldHaveExpired()
    {
        var memory = new AssertionMemory();
        memory.Use("a", "1", Now.AddSeconds(60), Now);
        Assert.Equal(Rejections.AssertionUsed, Refused(() => memory.Use("a", "1", Now.AddSeconds(90), Now.AddSeconds(59))));
        memory.Use("b", "1", Now.AddSeconds(60), Now);
        memory.Use("a", "1", Now.AddSeconds(120), Now.AddSeconds(60));
    }

    [Fact]
    public void Full_RefusesWhatItCannotRemember_AndOnlyThatClients()
    {
        var memory = new AssertionMemory();
        for (var i = 0; i < AssertionMemory.MostPerClient; i++)
            memory.Use("a", $"{i}", Now.AddSeconds(60 + (i % 60)), Now);
        Assert.Equal(Rejections.TooManyAssertions, Refused(() => memory.Use("a", "more", Now.AddSeconds(60), Now)));
        Assert.Equal(Rejections.AssertionUsed, Refused(() => memory.Use("a", "0", Now.AddSeconds(60), Now)));
        memory.Use("b", "more", Now.AddSeconds(60), Now);
        memory.Use("a", "more", Now.AddSeconds(200), Now.AddSeconds(120));
    }

    private static Rejection Refused(Action use) => Assert.Throws<RejectedException>(use).Rejection;
}
