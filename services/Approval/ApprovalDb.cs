using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Approval's tables. People are local ids, patients keyed hashes; CPR numbers and texts are sealed.</summary>
public sealed class ApprovalDb(DbContextOptions<ApprovalDb> options) : ServiceDb(options)
{
    public DbSet<ApprovalCase> Cases => Set<ApprovalCase>();

    public DbSet<CaseDeadline> Deadlines => Set<CaseDeadline>();

    public DbSet<CaseNotice> Notices => Set<CaseNotice>();

    public DbSet<RenewalGround> RenewalGrounds => Set<RenewalGround>();

    public DbSet<CaseComplaint> Complaints => Set<CaseComplaint>();

    public DbSet<PracticeVersion> PracticeVersions => Set<PracticeVersion>();

    public DbSet<OverviewCount> OverviewCounts => Set<OverviewCount>();

    public DbSet<OverviewDecisionTime> OverviewDecisionTimes => Set<OverviewDecisionTime>();

    public override int SchemaVersion => 6;

    public override IReadOnlyList<SealedColumn> SealedColumns =>
    [
        new(typeof(ApprovalCase), nameof(ApprovalCase.SealedCpr), SealedFor.Cpr),
        new(typeof(ApprovalCase), nameof(ApprovalCase.SealedReason), SealedFor.Reason),
        new(typeof(CaseStep), nameof(CaseStep.SealedReason), SealedFor.Reason),
        new(typeof(CaseQuestion), nameof(CaseQuestion.SealedText), SealedFor.Note),
        new(typeof(CaseQuestion), nameof(CaseQuestion.SealedAnswer), SealedFor.Note),
        new(typeof(RenewalGround), nameof(RenewalGround.SealedReason), SealedFor.Reason),
        new(typeof(CaseComplaint), nameof(CaseComplaint.SealedText), SealedFor.Note),
        new(typeof(CaseComplaint), nameof(CaseComplaint.SealedAnswer), SealedFor.Note),
    ];

    /// <summary>A case of an organisation with its steps and questions.</summary>
    /// <exception cref="RejectedException">SLR-201: not there, or another organisation's.</exception>
    public async Task<ApprovalCase> Load(string caseId, CvrNumber cvr, CancellationToken cancel)
    {
        var text = cvr.ToString();
        return await Whole.SingleOrDefaultAsync(c => c.CaseId == caseId && c.Cvr == text, cancel)
            ?? throw new RejectedException(Rejections.CaseNotFound);
    }

    /// <summary>The case of a masking.</summary>
    /// <exception cref="NotYetException">The event that opens it has not arrived.</exception>
    public async Task<ApprovalCase> OfMasking(string maskingId, CancellationToken cancel) =>
        await Whole.SingleOrDefaultAsync(c => c.CaseId == maskingId, cancel) ?? throw new NotYetException("the case of a masking");

    /// <summary>A complaint of an organisation and the case of the masking complained of.</summary>
    /// <exception cref="RejectedException">SLR-217: not there, or another organisation's.</exception>
    public async Task<(CaseComplaint Complaint, ApprovalCase Case)> LoadComplaint(string complaintId, CvrNumber cvr, CancellationToken cancel)
    {
        var text = cvr.ToString();
        var found = await Complaints.SingleOrDefaultAsync(c => c.ComplaintId == complaintId && c.Cvr == text, cancel)
            ?? throw new RejectedException(Rejections.ComplaintNotFound);
        return (found, await Load(found.CaseId, cvr, cancel));
    }

    private IQueryable<ApprovalCase> Whole => Cases
        .Include(c => c.Steps.OrderBy(step => step.Number)).Include(c => c.Questions.OrderBy(question => question.Number)).AsSplitQuery();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<ApprovalCase>(table =>
        {
            table.ToTable("cases");
            table.HasKey(c => c.CaseId);
            table.HasIndex(c => new { c.Cvr, c.State, c.DecisionDue, c.CaseId });
            // A level's work list among all the organisation's.
            table.HasIndex(c => new { c.Cvr, c.LevelUnitSorId, c.State, c.DecisionDue, c.CaseId });
            table.HasIndex(c => new { c.Cvr, c.EscalatedUnitSorId, c.State, c.DecisionDue, c.CaseId }).HasFilter("\"EscalatedUnitSorId\" IS NOT NULL");
            table.HasIndex(c => new { c.PatientKey, c.Cvr });
            table.HasIndex(c => c.ActivatedAt);
            // Of closed cases alone: erasure reads its head.
            table.HasIndex(c => c.ClosedAt).HasFilter("\"ClosedAt\" IS NOT NULL");
            table.HasMany(c => c.Steps).WithOne().HasForeignKey(step => step.CaseId);
            table.HasMany(c => c.Questions).WithOne().HasForeignKey(question => question.CaseId);
        });
        modelBuilder.Entity<CaseStep>().ToTable("case_steps").HasKey(step => new { step.CaseId, step.Number });
        modelBuilder.Entity<CaseQuestion>().ToTable("case_questions").HasKey(question => new { question.CaseId, question.Number });
        modelBuilder.Entity<RenewalGround>().ToTable("renewal_grounds").HasKey(ground => new { ground.CaseId, ground.ExtendsEnd, ground.By });
        modelBuilder.Entity<OverviewCount>().ToTable("overview_counts").HasKey(count => new { count.Month, count.Cvr, count.LevelUnitSorId, count.Trigger });
        modelBuilder.Entity<OverviewDecisionTime>().ToTable("overview_decision_times")
            .HasKey(time => new { time.Month, time.Cvr, time.LevelUnitSorId, time.Trigger, time.Tenths });
        modelBuilder.Entity<CaseComplaint>(table =>
        {
            table.ToTable("complaints");
            table.HasKey(complaint => complaint.ComplaintId);
            table.HasIndex(complaint => complaint.CaseId);
            table.HasIndex(complaint => new { complaint.Cvr, complaint.ClosedAt, complaint.RegisteredAt });
        });
        modelBuilder.Entity<PracticeVersion>().ToTable("practice_versions").HasKey(version => new { version.Cvr, version.Version });
        modelBuilder.Entity<CaseDeadline>(table =>
        {
            table.ToTable("case_deadlines");
            table.HasKey(deadline => deadline.DeadlineId);
            table.HasIndex(deadline => deadline.CaseId);
        });
        modelBuilder.Entity<CaseNotice>(table =>
        {
            table.ToTable("notices");
            table.HasKey(notice => notice.NoticeId);
            table.HasIndex(notice => notice.CaseId);
            table.HasIndex(notice => new { notice.Cvr, notice.ToPerson, notice.SentAt });
            table.HasIndex(notice => new { notice.Cvr, notice.ToUnitSorId, notice.SentAt });
        });
    }
}
