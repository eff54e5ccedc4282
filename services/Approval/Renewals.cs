using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>The ground of a renewal that a leader has decided and Registration may not have carried out yet, sealed.</summary>
public sealed class RenewalGround
{
    public required string CaseId { get; init; }

    public required DateTimeOffset ExtendsEnd { get; init; }

    public required string By { get; init; }

    public required string SealedReason { get; set; }
}

internal static class Renewals
{
    /// <summary>Keeps a ground; a leader who tries again replaces the own one.</summary>
    public static async Task KeepGround(this WriteScope<ApprovalDb> scope, ApprovalCase @case, string by, string sealedReason)
    {
        if (await scope.Db.RenewalGrounds.FindAsync([@case.CaseId, @case.EndsAt, by], scope.Cancel) is { } ground)
            ground.SealedReason = sealedReason;
        else
            scope.Db.RenewalGrounds.Add(new RenewalGround { CaseId = @case.CaseId, ExtendsEnd = @case.EndsAt, By = by, SealedReason = sealedReason });
    }

    /// <summary>
    /// Records what Registration has extended (rule A9) and sets the new expiry notice (rule A8). Called with Registration's answer and
    /// with its event, in either order: the second finds it done.
    /// </summary>
    public static async Task RecordRenewal(
        this WriteScope<ApprovalDb> scope, ApprovalCase @case, DateTimeOffset extendedEnd, DateTimeOffset endsAt, string by, DateTimeOffset at,
        Practice practice)
    {
        // By milliseconds, which is what the database keeps: the event may be finer.
        if (@case.EndsAt.ToUnixTimeMilliseconds() >= endsAt.ToUnixTimeMilliseconds())
            return;
        var grounds = await scope.Db.RenewalGrounds.Where(ground => ground.CaseId == @case.CaseId).ToListAsync(scope.Cancel);
        var sealedReason = grounds
            .Find(ground => ground.By == by && ground.ExtendsEnd.ToUnixTimeMilliseconds() == extendedEnd.ToUnixTimeMilliseconds())?.SealedReason;
        @case.Renew(endsAt, by, at, sealedReason);
        scope.Db.RenewalGrounds.RemoveRange(grounds);
        await scope.CancelDeadlines(@case, [DeadlineKinds.ExpiryNotice]);
        var notice = Deadlines.ExpiryNotice(endsAt, practice);
        @case.RenewalFrom = notice.DueAt;
        await scope.SetDeadline(@case, notice);
        await scope.Append(
            new ApprovalDecided
            {
                CaseId = @case.CaseId,
                PatientKey = @case.PatientKey,
                Decision = "renewed",
                DecidedBy = by,
                DecidedAt = at,
                SealedReason = sealedReason,
            },
            by);
    }
}
