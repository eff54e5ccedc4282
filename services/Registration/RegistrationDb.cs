using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>
/// Registration's tables. No CPR number, reason or ground stands in them readable: patients are keyed hashes, texts are sealed.
/// </summary>
public sealed class RegistrationDb(DbContextOptions<RegistrationDb> options) : ServiceDb(options)
{
    public DbSet<MaskingOrder> Maskings => Set<MaskingOrder>();

    public DbSet<Renewal> Renewals => Set<Renewal>();

    public DbSet<DepartmentMasking> Units => Set<DepartmentMasking>();

    public DbSet<Takeover> Takeovers => Set<Takeover>();

    public DbSet<AcceptedRequest> Accepted => Set<AcceptedRequest>();

    public override int SchemaVersion => 4;

    public override IReadOnlyList<SealedColumn> SealedColumns =>
    [
        new(typeof(MaskingOrder), nameof(MaskingOrder.SealedCpr), SealedFor.Cpr),
        new(typeof(MaskingOrder), nameof(MaskingOrder.SealedReason), SealedFor.Reason),
        new(typeof(DepartmentMasking), nameof(DepartmentMasking.SealedGrounds), SealedFor.Note),
        new(typeof(AcceptedRequest), nameof(AcceptedRequest.SealedAnswer), SealedFor.Note),
    ];

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<MaskingOrder>(masking =>
        {
            masking.ToTable("maskings");
            masking.HasKey(m => m.MaskingId);
            // One active row per patient and organisation (rules M1, M7), whatever the code does; also the way into a snapshot.
            masking.HasIndex(m => new { m.Cvr, m.Patient }, "active").IsUnique().HasFilter($"\"State\" = {(int)MaskingState.InForce}");
            masking.HasIndex(m => new { m.Cvr, m.Position });
            masking.HasIndex(m => new { m.Cvr, m.Patient, m.Position });
            // Of those that are over alone: erasure reads its head, and no activation pays for it.
            masking.HasIndex(m => m.EndsAt, "over").HasFilter($"\"State\" <> {(int)MaskingState.InForce}");
        });
        modelBuilder.Entity<Renewal>(renewal =>
        {
            renewal.ToTable("renewals");
            renewal.HasKey(r => new { r.MaskingId, r.ExtendedEnd });
        });
        modelBuilder.Entity<DepartmentMasking>(unit =>
        {
            unit.ToTable("units");
            unit.HasKey(u => u.UnitMaskingId);
            unit.HasIndex(u => u.UnitSorId, "open").IsUnique()
                .HasFilter($"\"State\" IN ({string.Join(", ", UnitRules.Open.Select(state => (int)state))})");
            unit.HasIndex(u => u.Position);
        });
        modelBuilder.Entity<Takeover>(takeover =>
        {
            takeover.ToTable("takeovers");
            takeover.HasKey(t => t.Replaced);
        });
        modelBuilder.Entity<AcceptedRequest>(accepted =>
        {
            accepted.ToTable("accepted_requests");
            accepted.HasKey(a => a.KeyHash);
            accepted.HasIndex(a => a.About);
        });
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<PatientKey>().HaveConversion<PatientConverter>();
        configurationBuilder.Properties<CvrNumber>().HaveConversion<CvrConverter>();
    }

    private sealed class PatientConverter() : ValueConverter<PatientKey, string>(key => key.ToString(), text => PatientKey.Parse(text));

    private sealed class CvrConverter() : ValueConverter<CvrNumber, long>(cvr => cvr.Value, number => new CvrNumber((uint)number));
}
