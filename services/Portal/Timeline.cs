using Sloring.Contracts.Approval.V1;

namespace Sloring.Portal;

/// <summary>A mark on the line: where it lies, from 0 (activation) to 1 (end), and what it says.</summary>
public sealed record TimelineMark(double At, string Kind, string Text);

/// <summary>The course of a masking, to be drawn: activation, deadline, decisions, today, end.</summary>
/// <param name="Title">The whole of it in words, for who does not see it.</param>
/// <param name="Elapsed">How much of it has passed, 0 to 1.</param>
/// <param name="Marks">In order of time.</param>
public sealed record Timeline(string Title, double Elapsed, IReadOnlyList<TimelineMark> Marks)
{
    public static Timeline Empty { get; } = new("", 0, []);

    public static Timeline Of(Case @case, DateTimeOffset now)
    {
        var (from, to) = (@case.Summary.ActivatedAt.ToDateTimeOffset(), @case.Summary.EndsAt.ToDateTimeOffset());
        double At(DateTimeOffset instant) => to <= from ? 1 : Math.Clamp((instant - from) / (to - from), 0, 1);
        var marks = new List<TimelineMark>
        {
            new(0, "start", $"{Wording.ActivatedAt} {Show.Day(@case.Summary.ActivatedAt)}"),
            new(At(@case.Summary.DecisionDue.ToDateTimeOffset()), "due", $"{Wording.DecisionDue} {Show.LastDay(@case.Summary.DecisionDue)}"),
            new(1, "end", $"{Wording.EndsAt} {Show.Day(@case.Summary.EndsAt)}"),
        };
        marks.AddRange(@case.Decisions.Select(decision =>
            new TimelineMark(At(decision.DecidedAt.ToDateTimeOffset()), decision.Kind, $"{Show.Decision(decision.Kind)} {Show.Day(decision.DecidedAt)}")));
        if (now > from && now < to)
            marks.Add(new TimelineMark(At(now), "today", Wording.Today));
        return new Timeline(
            Show.Filled(Wording.TimelineOf, Show.Day(@case.Summary.ActivatedAt), Show.Day(@case.Summary.EndsAt), Show.LastDay(@case.Summary.DecisionDue)),
            At(now), [.. marks.OrderBy(mark => mark.At)]);
    }
}
