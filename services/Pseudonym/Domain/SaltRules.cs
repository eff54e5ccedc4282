using Sloring.Contracts;

namespace Sloring.Pseudonym.Domain;

/// <summary>A salt by number and beginning. Its text is no part of any rule.</summary>
public sealed record SaltPeriod(int Id, DateTimeOffset ValidFrom);

/// <summary>Which salt counts when. A salt is in use from its beginning until the next one's (rule E3).</summary>
public static class SaltRules
{
    /// <summary>
    /// Chosen: how long after its replacement an old salt may still have been shown. Data sources fetch the salt now and then, and
    /// trying one salt too many can only cost time.
    /// </summary>
    public static readonly TimeSpan Lag = TimeSpan.FromDays(1);

    /// <summary>The salt in use: the newest. Its number decides, not its time, so that a clock set back brings no old salt back.</summary>
    public static Decided<SaltPeriod> Current(IEnumerable<SaltPeriod> salts) =>
        salts.MaxBy(salt => salt.Id) is { } newest ? newest : Rejections.NoSalt;

    /// <summary>The next salt after <paramref name="current"/> (null before the first); it never begins before the one it replaces.</summary>
    public static SaltPeriod Next(SaltPeriod? current, DateTimeOffset now) => current is null
        ? new SaltPeriod(1, now)
        : new SaltPeriod(current.Id + 1, now < current.ValidFrom ? current.ValidFrom : now);

    /// <summary>The salts under which a pseudonym may have been shown between two Danish days, both included (rule C2), newest first.</summary>
    public static IReadOnlyList<SaltPeriod> Covering(IEnumerable<SaltPeriod> salts, DateOnly from, DateOnly to)
    {
        var (begins, ends) = (DanishTime.StartOf(from), DanishTime.StartOf(to.AddDays(1)));
        var covering = new List<SaltPeriod>();
        DateTimeOffset? replaced = null;
        foreach (var salt in salts.OrderByDescending(salt => salt.Id))
        {
            if (salt.ValidFrom < ends && (replaced is null || replaced + Lag > begins))
                covering.Add(salt);
            replaced = salt.ValidFrom;
        }
        return covering;
    }
}
