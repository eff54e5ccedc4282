using Sloring.Contracts;

namespace Sloring.Pseudonym.Domain;

/// <summary>A salt by number and beginning. Its text is no part of any rule.</summary>
public sealed record SaltPeriod(int Id, DateTimeOffset ValidFrom);

/// <summary>Which salt counts when. A salt is in use from its beginning until the next one's (rule E3).</summary>
public static class SaltRules
{
    /// <summary>How much earlier than it must the next salt is announced, so that a look that comes late moves no instant.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromHours(1);

    /// <summary>
    /// The salt in use: the newest of those whose time has come. Where none has, because a clock was set back, the first. Its number decides
    /// before its time: a salt that was announced and then overtaken by one made at once is never used.
    /// </summary>
    public static Decided<SaltPeriod> Current(IReadOnlyCollection<SaltPeriod> salts, DateTimeOffset now) =>
        (salts.Where(salt => salt.ValidFrom <= now).MaxBy(salt => salt.Id) ?? salts.MinBy(salt => salt.Id)) is { } current ? current : Rejections.NoSalt;

    /// <summary>The salt announced to replace the one in use; null when none is.</summary>
    public static SaltPeriod? Announced(IReadOnlyCollection<SaltPeriod> salts, DateTimeOffset now) =>
        salts.MaxBy(salt => salt.Id) is { } newest && newest.ValidFrom > now && newest.Id > Current(salts, now).Value.Id ? newest : null;

    /// <summary>The salt that follows all others, in use from <paramref name="now"/>; it never begins before the one it replaces.</summary>
    public static SaltPeriod Next(IReadOnlyCollection<SaltPeriod> salts, DateTimeOffset now) => salts.Count == 0
        ? new SaltPeriod(1, now)
        : new SaltPeriod(salts.Max(salt => salt.Id) + 1, Later(now, Current(salts, now).Value.ValidFrom));

    /// <summary>
    /// The salt to announce now, at least <paramref name="ahead"/> of the end of the period of the one in use; null before that, or when one is announced
    /// already. Announced late, it begins late: whoever fetches the salt now and then is promised the time to fetch it.
    /// </summary>
    public static SaltPeriod? ToAnnounce(IReadOnlyCollection<SaltPeriod> salts, DateTimeOffset now, TimeSpan period, TimeSpan ahead)
    {
        if (salts.MaxBy(salt => salt.Id) is not { } newest || newest.ValidFrom > now || now < newest.ValidFrom + period - ahead - Early)
            return null;
        return new SaltPeriod(newest.Id + 1, Later(newest.ValidFrom + period, now + ahead));
    }

    /// <summary>The salts under which a pseudonym may have been shown between two Danish days, both included (rule C2), newest first.</summary>
    /// <param name="salts">All that there are.</param>
    /// <param name="from">The first day.</param>
    /// <param name="to">The last day.</param>
    /// <param name="lag">How long after its replacement an old salt may still have been shown: data sources fetch it now and then, and trying one too many can only cost time.</param>
    public static IReadOnlyList<SaltPeriod> Covering(IEnumerable<SaltPeriod> salts, DateOnly from, DateOnly to, TimeSpan lag)
    {
        var (begins, ends) = (DanishTime.StartOf(from), DanishTime.StartOf(to.AddDays(1)));
        var covering = new List<SaltPeriod>();
        DateTimeOffset? replaced = null;
        foreach (var salt in salts.OrderByDescending(salt => salt.Id))
        {
            // One that was overtaken before its time may have been shown by those who did not hear of that.
            if (salt.ValidFrom < ends && (replaced is not { } until || Later(until, salt.ValidFrom) + lag > begins))
                covering.Add(salt);
            replaced = replaced < salt.ValidFrom ? replaced : salt.ValidFrom;
        }
        return covering;
    }

    /// <summary>The salts under which no pseudonym has been shown since <paramref name="before"/>, oldest first. The one in use and those to come are never among them.</summary>
    public static IReadOnlyList<SaltPeriod> Over(IReadOnlyCollection<SaltPeriod> salts, DateTimeOffset before, TimeSpan lag) =>
        [.. salts.OrderBy(salt => salt.Id).TakeWhile(salt =>
            salts.Where(later => later.Id > salt.Id).Select(later => (DateTimeOffset?)later.ValidFrom).Min() is { } replaced && Later(replaced, salt.ValidFrom) + lag < before)];

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one < other ? other : one;
}
