using Microsoft.EntityFrameworkCore;
using Sloring.Hosting;

namespace Sloring.Pseudonym;

/// <summary>The salts, sealed: an access request may concern any period that is kept (rule C2). No name and no patient is stored.</summary>
public sealed class PseudonymDb(DbContextOptions<PseudonymDb> options) : ServiceDb(options)
{
    public DbSet<SaltRow> Salts => Set<SaltRow>();

    public override IReadOnlyList<SealedColumn> SealedColumns => [new(typeof(SaltRow), nameof(SaltRow.Sealed), SealedFor.Salt)];

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<SaltRow>(salt =>
        {
            salt.ToTable("salts");
            salt.HasKey(s => s.Id);
            salt.Property(s => s.Id).ValueGeneratedNever();
        });
    }
}

/// <summary>One salt.</summary>
public sealed class SaltRow
{
    /// <summary>From 1, without gaps.</summary>
    public required int Id { get; init; }

    /// <summary>The salt's BASE64 text, sealed; empty once it is erased.</summary>
    public required string Sealed { get; init; }

    /// <summary>In the future for one that is announced.</summary>
    public required DateTimeOffset ValidFrom { get; init; }

    public bool IsErased => Sealed.Length == 0;
}
