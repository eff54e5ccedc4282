using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

/// <summary>What is kept for how long.</summary>
public sealed class RecordKindTests
{
    [Fact]
    public void EveryKindIsKeptForFiveYears_AndForEverWhereItsSettingSaysSo()
    {
        var now = new DateTimeOffset(2032, 2, 29, 12, 0, 0, TimeSpan.Zero);
        RecordKind[] kinds = [RecordKind.Maskings, RecordKind.Units, RecordKind.Cases, RecordKind.Deadlines, RecordKind.Salts, RecordKind.Journal];
        Assert.All(kinds, kind => Assert.Equal(new DateTimeOffset(2027, 2, 28, 12, 0, 0, TimeSpan.Zero), kind.Before(new RetentionOptions(), now)));
        Assert.All(kinds, kind => Assert.Null(kind.Before(new RetentionOptions { CaseYears = 0, DeadlineYears = 0, SaltYears = 0, JournalYears = 0 }, now)));
        Assert.Equal(kinds.Length, kinds.Select(kind => kind.Name).Distinct().Count());
    }
}
