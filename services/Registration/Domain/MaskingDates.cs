using Sloring.Contracts;

namespace Sloring.Registration.Domain;

/// <summary>From a day on, maskings may be in force, grounded on behaviour from another day on (rule M8).</summary>
/// <param name="InForceFrom">First Danish day on which a masking may be in force under this rule.</param>
/// <param name="BehaviourFrom">First Danish day whose behaviour can be the ground.</param>
public sealed record DatedRule(DateOnly InForceFrom, DateOnly BehaviourFrom);

/// <summary>How long maskings run (rules M6, M10) and since when (rule M8): data, not code, so that a new law is a new row.</summary>
/// <param name="PeriodDays">Days of a masking, and of a renewal.</param>
/// <param name="LongestDays">Days after which no requested end may lie (rule M10).</param>
/// <param name="Rules">Dated rules; the latest that has begun applies.</param>
public sealed record MaskingDates(int PeriodDays, int LongestDays, IReadOnlyList<DatedRule> Rules)
{
    /// <summary>The national guideline: 90 days, behaviour from 1 February 2024, in force from 1 March 2024.</summary>
    public static MaskingDates Guideline { get; } = new(90, 90, [new DatedRule(new DateOnly(2024, 3, 1), new DateOnly(2024, 2, 1))]);

    /// <summary>Whether behaviour on a day can be the ground of a masking that starts now (rule M8).</summary>
    public Decided<DateOnly> Ground(DateOnly behaviourOn, DateTimeOffset now)
    {
        var today = DanishTime.DayOf(now);
        if (Rules.Where(rule => rule.InForceFrom <= today).MaxBy(rule => rule.InForceFrom) is not { } rule)
            return Rejections.NotYetInForce;
        if (behaviourOn > today)
            return Rejections.BehaviourInFuture.For("behaviour_on");
        if (behaviourOn < rule.BehaviourFrom)
            return Rejections.BehaviourTooEarly.For("behaviour_on");
        return behaviourOn;
    }

    /// <summary>The end of a masking that starts now: one period (rule M6), or the requested end within the limit (rule M10).</summary>
    public Decided<DateTimeOffset> End(DateTimeOffset? requested, DateTimeOffset now)
    {
        if (requested is not { } end)
            return DanishTime.AddDays(now, PeriodDays);
        if (end <= now)
            return Rejections.EndInPast.For("ends_at");
        if (end > DanishTime.AddDays(now, LongestDays))
            return Rejections.EndTooLate.For("ends_at");
        return RoundUp(end);
    }

    /// <summary>The whole millisecond at or before an instant: what databases and feeds keep, so that every wire tells the same instant.</summary>
    public static DateTimeOffset RoundDown(DateTimeOffset instant) => DateTimeOffset.FromUnixTimeMilliseconds(instant.ToUnixTimeMilliseconds());

    /// <summary>The whole millisecond at or after an instant: rounding must never end a masking early.</summary>
    private static DateTimeOffset RoundUp(DateTimeOffset instant) => RoundDown(instant.AddTicks(TimeSpan.TicksPerMillisecond - 1));
}
