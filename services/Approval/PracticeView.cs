using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts.Approval.V1;
using Choice = Sloring.Approval.Domain.PracticeChoice;
using Practice = Sloring.Contracts.Approval.V1.Practice;
using PracticeChoice = Sloring.Contracts.Approval.V1.PracticeChoice;
using PracticeDifference = Sloring.Contracts.Approval.V1.PracticeDifference;

namespace Sloring.Approval;

/// <summary>A practice as hospital management and region see it: what holds, where it comes from, and who has changed what.</summary>
public sealed class PracticeView(Practices practices)
{
    private const int ChangesShown = 50;

    public async Task<Practice> Whole(ApprovalDb db, string cvr, CancellationToken cancel)
    {
        var versions = await Practices.Versions(db, cvr).Take(ChangesShown + 1).ToListAsync(cancel);
        var chosen = versions.FirstOrDefault()?.Choice() ?? Choice.None;
        return new Practice
        {
            Version = versions.FirstOrDefault()?.Version ?? 0,
            Holds = Show(practices.Holding(cvr, chosen)),
            Configured = Show(practices.Holding(cvr, Choice.None)),
            Chosen = Show(chosen),
            ApprovalLevelFrom = practices.SourceOf(cvr, chosen.ApprovalLevel, section => section.ApprovalLevel),
            MayDecideOwnFrom = practices.SourceOf(cvr, chosen.MayDecideOwn, section => section.MayDecideOwn),
            ExtraNonWorkingDaysFrom = practices.SourceOf(cvr, chosen.ExtraNonWorkingDays, section => section.ExtraNonWorkingDays),
            DecisionWorkingDaysFrom = practices.SourceOf(cvr, chosen.DecisionWorkingDays, section => section.DecisionWorkingDays),
            ExpiryNoticeDaysFrom = practices.SourceOf(cvr, chosen.ExpiryNoticeDays, section => section.ExpiryNoticeDays),
            Changes = { versions.Take(ChangesShown).Select((version, i) => Show(version, i + 1 < versions.Count ? versions[i + 1].Choice() : Choice.None)) },
        };
    }

    private static PracticeChange Show(PracticeVersion version, Choice before) => new()
    {
        Version = version.Version,
        ChangedBy = version.ChangedBy,
        ChangedAt = version.ChangedAt.ToTimestamp(),
        Differences = { PracticeRules.Differences(before, version.Choice()).Select(Show) },
    };

    private static PracticeDifference Show(Domain.PracticeDifference difference)
    {
        var shown = new PracticeDifference { Setting = difference.Setting };
        if (difference.From is { } from)
            shown.From = from;
        if (difference.To is { } to)
            shown.To = to;
        return shown;
    }

    private static PracticeChoice Show(Choice choice)
    {
        var shown = new PracticeChoice();
        if (choice.ApprovalLevel is { } level)
            shown.ApprovalLevel = level;
        if (choice.MayDecideOwn is { } own)
            shown.MayDecideOwn = own;
        if (choice.ExtraNonWorkingDays is { } days)
            shown.ExtraNonWorkingDays = new DaysOff { Days = { days.Split(' ', StringSplitOptions.RemoveEmptyEntries) } };
        if (choice.DecisionWorkingDays is { } decision)
            shown.DecisionWorkingDays = decision;
        if (choice.ExpiryNoticeDays is { } notice)
            shown.ExpiryNoticeDays = notice;
        return shown;
    }
}
