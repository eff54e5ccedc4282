using Sloring.Approval.Domain;
using Sloring.Hosting;

namespace Sloring.Approval;

internal static class CaseClosing
{
    /// <summary>The case follows its masking, which Registration reports to be over. False where the case was closed already.</summary>
    public static async Task<bool> Close(this WriteScope<ApprovalDb> scope, ApprovalCase @case, CaseCommand command, DateTimeOffset at)
    {
        var before = @case.State;
        @case.Follow(ApprovalRules.On(before, command).Next, at);
        await scope.CancelDeadlines(@case, Deadlines.UntilClosed);
        return @case.State != before;
    }
}
