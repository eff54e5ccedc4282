using System.Globalization;
using Sloring.Approval.Domain;

namespace Sloring.Tests.Unit.Approval;

/// <summary>Cases and practices to test with.</summary>
internal static class Cases
{
    public const string Nurse = "nurse-1";
    public const string Leader = "leader-1";
    public const string Level = "331000016001";

    public static Practice Chosen { get; } = PracticeWith();

    public static Practice PracticeWith(bool mayDecideOwn = false, int decisionWorkingDays = 7, params string[] extraDays) =>
        new("hospital", mayDecideOwn, new WorkingDays(extraDays), 5, decisionWorkingDays, 10);

    public static Decider LevelLeader { get; } = new(Leader, OfLevel: true, MayDecideOwn: false);

    /// <summary>Monday 5 January 2026, 10:00 in Denmark.</summary>
    public static DateTimeOffset Monday { get; } = At("2026-01-05T09:00Z");

    public static DateTimeOffset At(string utc) => DateTimeOffset.Parse(utc, CultureInfo.InvariantCulture);

    public static DateOnly Day(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static ApprovalCase Open(DateTimeOffset? activatedAt = null, DateTimeOffset? endsAt = null, string? reason = "sealed", string by = Nurse) => new()
    {
        CaseId = Guid.CreateVersion7().ToString("D"),
        PatientKey = new string('a', 32),
        SealedCpr = "sealed",
        Cvr = "29190623",
        Trigger = "threats",
        BehaviourOn = new DateOnly(2026, 1, 4),
        ActivatedAt = activatedAt ?? Monday,
        ActivatedBy = by,
        LevelUnitSorId = Level,
        DecisionDue = Deadlines.DecisionDue(activatedAt ?? Monday, Chosen),
        EndsAt = endsAt ?? Sloring.Contracts.DanishTime.AddDays(activatedAt ?? Monday, 90),
        SealedReason = reason,
    };
}
