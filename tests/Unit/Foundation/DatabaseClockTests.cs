using Microsoft.Extensions.Logging.Abstractions;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

/// <summary>The database's clock is the platform's.</summary>
public sealed class DatabaseClockTests
{
    private readonly DatabaseClock _clock = new(NullLogger<DatabaseClock>.Instance);

    [Theory]
    [InlineData(-300)]
    [InlineData(300)]
    public void AMachineFiveMinutesOff_GoesByTheDatabase_UntilItIsSetRight(int off)
    {
        var now = TimeProvider.System.GetUtcNow();
        Assert.True(_clock.Compare(now, now.AddSeconds(-off), now.AddMilliseconds(3)));
        Assert.InRange((TimeProvider.System.GetUtcNow() - _clock.GetUtcNow()).TotalSeconds, off - 1, off + 1);

        _clock.Compare(now, now.AddMilliseconds(2), now.AddMilliseconds(3));
        Assert.InRange((TimeProvider.System.GetUtcNow() - _clock.GetUtcNow()).TotalSeconds, -0.1, 0.1);
    }

    [Fact]
    public void ASlowAnswer_IsNoWrongClock()
    {
        var now = TimeProvider.System.GetUtcNow();
        Assert.False(_clock.Compare(now, now.AddSeconds(4), now.AddSeconds(8)));
        Assert.InRange((TimeProvider.System.GetUtcNow() - _clock.GetUtcNow()).TotalSeconds, -0.1, 0.1);
    }
}
