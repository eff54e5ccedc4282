using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sloring.Approval.Domain;
using Sloring.Contracts.Approval.V1;
using PracticeChoice = Sloring.Approval.Domain.PracticeChoice;

namespace Sloring.Approval;

/// <summary>What a region has chosen for its organisation, one row for each change; the last holds.</summary>
public sealed class PracticeVersion
{
    public required string Cvr { get; init; }

    /// <summary>From 1, without gaps.</summary>
    public required int Version { get; init; }

    public string? ApprovalLevel { get; init; }

    public bool? MayDecideOwn { get; init; }

    /// <summary>As in <see cref="PracticeChoice"/>.</summary>
    public string? ExtraNonWorkingDays { get; init; }

    public int? DecisionWorkingDays { get; init; }

    public int? ExpiryNoticeDays { get; init; }

    public required string ChangedBy { get; init; }

    public required DateTimeOffset ChangedAt { get; init; }

    public PracticeChoice Choice() => new(ApprovalLevel, MayDecideOwn, ExtraNonWorkingDays, DecisionWorkingDays, ExpiryNoticeDays);
}

/// <summary>
/// The practice of each organisation: what its region has chosen, over its configuration, over that of all, over the platform's defaults. Read where it is used, in the
/// same transaction: every replica works by the last change at once.
/// </summary>
public sealed class Practices(IOptions<ApprovalOptions> options)
{
    private static readonly PracticeOptions Nothing = new();

    /// <summary>By configuration alone: what a region cannot choose, such as the smallest cell of the overview.</summary>
    public Domain.Practice Configured(string cvr) => Resolve(cvr, PracticeChoice.None);

    /// <summary>The practice of an organisation.</summary>
    public async Task<Domain.Practice> Of(ApprovalDb db, string cvr, CancellationToken cancel) =>
        Resolve(cvr, (await Versions(db, cvr).FirstOrDefaultAsync(cancel))?.Choice() ?? PracticeChoice.None);

    /// <summary>What was chosen for an organisation, newest first.</summary>
    public static IQueryable<PracticeVersion> Versions(ApprovalDb db, string cvr) =>
        db.PracticeVersions.AsNoTracking().Where(version => version.Cvr == cvr).OrderByDescending(version => version.Version);

    /// <summary>Every value with a choice over the configuration.</summary>
    public PracticeChoice Holding(string cvr, PracticeChoice chosen)
    {
        var (own, all) = (Own(cvr), options.Value);
        return new PracticeChoice(
            chosen.ApprovalLevel ?? own.ApprovalLevel ?? all.ApprovalLevel ?? "hospital",
            chosen.MayDecideOwn ?? own.MayDecideOwn ?? all.MayDecideOwn ?? false,
            chosen.ExtraNonWorkingDays ?? string.Join(' ', own.ExtraNonWorkingDays ?? all.ExtraNonWorkingDays ?? []),
            chosen.DecisionWorkingDays ?? own.DecisionWorkingDays ?? all.DecisionWorkingDays ?? 7,
            chosen.ExpiryNoticeDays ?? own.ExpiryNoticeDays ?? all.ExpiryNoticeDays ?? 10);
    }

    /// <summary>Where a value comes from.</summary>
    /// <param name="cvr">The organisation.</param>
    /// <param name="chosen">The value of the choice; null where there is none.</param>
    /// <param name="configured">The value in a section of the configuration.</param>
    public PracticeSource SourceOf(string cvr, object? chosen, Func<PracticeOptions, object?> configured) => chosen is not null
        ? PracticeSource.Chosen
        : configured(Own(cvr)) is not null || configured(options.Value) is not null ? PracticeSource.Configuration : PracticeSource.Default;

    private PracticeOptions Own(string cvr) => options.Value.Organisations.GetValueOrDefault(cvr, Nothing);

    private Domain.Practice Resolve(string cvr, PracticeChoice chosen)
    {
        var holds = Holding(cvr, chosen);
        return new Domain.Practice(
            holds.ApprovalLevel!,
            holds.MayDecideOwn!.Value,
            new WorkingDays(holds.ExtraNonWorkingDays!.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
            Own(cvr).SmallestCell ?? options.Value.SmallestCell ?? 5,
            holds.DecisionWorkingDays!.Value,
            holds.ExpiryNoticeDays!.Value);
    }
}
