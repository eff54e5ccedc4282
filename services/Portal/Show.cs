using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Operation.V1;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Portal;

/// <summary>How things are written for people. Instants are shown in Danish time.</summary>
public static class Show
{
    private const int CommitDigits = 7;

    public static string Instant(Timestamp? instant) => instant is null ? "" : Instant(instant.ToDateTimeOffset());

    public static string Instant(DateTimeOffset instant) => DanishTime.WallClock(instant).ToString("dd.MM.yyyy HH:mm", CultureInfo.InvariantCulture);

    public static string Day(Timestamp? instant) => instant is null ? "" : Day(DanishTime.DayOf(instant.ToDateTimeOffset()));

    /// <summary>The last day on which something can still be done that is due at an instant: what is due at midnight is due the day before.</summary>
    public static string LastDay(Timestamp due) => Day(DanishTime.DayOf(due.ToDateTimeOffset() - TimeSpan.FromTicks(1)));

    public static string Day(DateOnly day) => day.ToString("dd.MM.yyyy", CultureInfo.InvariantCulture);

    /// <summary>A text with its gaps {0}, {1} … filled in.</summary>
    public static string Filled(string text, params string[] values) => string.Format(CultureInfo.InvariantCulture, CompositeFormat.Parse(text), (object[])values);

    /// <summary>The wire's yyyy-MM-dd.</summary>
    public static string Day(string day) => DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? Day(date) : day;

    public static string Seconds(double seconds) => seconds.ToString(seconds < 100 ? "F1" : "F0", CultureInfo.InvariantCulture);

    /// <summary>A program's version with the beginning of its commit.</summary>
    public static string Version(string version) => version.IndexOf('+', StringComparison.Ordinal) is >= 0 and var plus ? version[..Math.Min(version.Length, plus + 1 + CommitDigits)] : version;

    /// <summary>Approval's word for a trigger.</summary>
    public static string Trigger(string trigger) => trigger switch
    {
        "violence" => Wording.TriggerViolence,
        "threats" => Wording.TriggerThreats,
        "harassment" => Wording.TriggerHarassment,
        "founded-fear" => Wording.TriggerFoundedFear,
        _ => trigger,
    };

    /// <summary>Registration's.</summary>
    public static string Trigger(Trigger trigger) => trigger switch
    {
        Contracts.Registration.V1.Trigger.Violence => Wording.TriggerViolence,
        Contracts.Registration.V1.Trigger.Threats => Wording.TriggerThreats,
        Contracts.Registration.V1.Trigger.Harassment => Wording.TriggerHarassment,
        Contracts.Registration.V1.Trigger.FoundedFear => Wording.TriggerFoundedFear,
        _ => "",
    };

    public static string State(CaseState state) => state switch
    {
        CaseState.Open => Wording.CaseOpen,
        CaseState.Upheld => Wording.CaseUpheld,
        CaseState.Lifted => Wording.CaseLifted,
        CaseState.Superseded => Wording.CaseSuperseded,
        CaseState.Ended => Wording.CaseEnded,
        CaseState.Expired => Wording.CaseExpired,
        _ => "",
    };

    public static string State(MaskingState state) => state switch
    {
        MaskingState.InForce => Wording.MaskingInForce,
        MaskingState.Superseded => Wording.CaseSuperseded,
        MaskingState.Lifted => Wording.CaseLifted,
        MaskingState.Ended => Wording.CaseEnded,
        MaskingState.Expired => Wording.CaseExpired,
        _ => "",
    };

    public static string State(UnitState state) => state switch
    {
        UnitState.Nominated => Wording.UnitNominated,
        UnitState.Recommended => Wording.UnitRecommended,
        UnitState.Returned => Wording.UnitReturned,
        UnitState.Refused => Wording.UnitRefused,
        UnitState.InForce => Wording.MaskingInForce,
        UnitState.Removed => Wording.UnitRemoved,
        _ => "",
    };

    public static string State(ComplaintState state) => state switch
    {
        ComplaintState.Received => Wording.ComplaintReceived,
        ComplaintState.UnderTreatment => Wording.ComplaintUnderTreatment,
        ComplaintState.Answered => Wording.ComplaintAnswered,
        ComplaintState.Withdrawn => Wording.ComplaintWithdrawn,
        _ => "",
    };

    public static string Complainant(Complainant complainant) => complainant switch
    {
        Contracts.Approval.V1.Complainant.Patient => Wording.ComplainantPatient,
        Contracts.Approval.V1.Complainant.Representative => Wording.ComplainantRepresentative,
        Contracts.Approval.V1.Complainant.Relative => Wording.ComplainantRelative,
        Contracts.Approval.V1.Complainant.Other => Wording.ComplainantOther,
        _ => "",
    };

    public static string Outcome(ComplaintOutcome outcome) => outcome switch
    {
        ComplaintOutcome.Upheld => Wording.OutcomeUpheld,
        ComplaintOutcome.NotUpheld => Wording.OutcomeNotUpheld,
        ComplaintOutcome.Lifted => Wording.OutcomeLifted,
        _ => "",
    };

    /// <summary>A decision's kind on a case.</summary>
    public static string Decision(string kind) => kind switch
    {
        "uphold" => Wording.CaseUpheld,
        "lift" => Wording.CaseLifted,
        "renew" => Wording.Renew,
        _ => kind,
    };

    /// <summary>What a notice is about.</summary>
    public static string Notice(string kind) => Wording.ResourceManager.GetString("Notice_" + kind.Replace('-', '_'), CultureInfo.CurrentUICulture) ?? kind;

    /// <summary>The name of a setting of the practice.</summary>
    public static string Setting(string setting) => Wording.ResourceManager.GetString("Setting_" + setting.Replace('-', '_'), CultureInfo.CurrentUICulture) ?? setting;

    /// <summary>A value of a setting, as its service writes it.</summary>
    public static string SettingValue(string setting, string value) => (setting, value) switch
    {
        (_, "department") => Wording.LevelDepartment,
        (_, "hospital") => Wording.LevelHospital,
        (_, "region") => Wording.LevelRegion,
        (_, "true") => Wording.Yes,
        (_, "false") => Wording.No,
        ("extra-non-working-days", "") => Wording.NoDays,
        _ => value,
    };

    /// <summary>What became of an event that the bus gave up on.</summary>
    public static string State(DeadLetterState state) => state switch
    {
        DeadLetterState.Applied => Wording.OpLetterApplied,
        DeadLetterState.Owed => Wording.OpLetterOwed,
        _ => Wording.OpLetterUnknown,
    };

    public static string Source(PracticeSource source) => source switch
    {
        PracticeSource.Default => Wording.SourceDefault,
        PracticeSource.Configuration => Wording.SourceConfiguration,
        PracticeSource.Chosen => Wording.SourceChosen,
        _ => "",
    };
}
