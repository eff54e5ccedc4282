using Microsoft.EntityFrameworkCore;

namespace Sloring.Hosting;

/// <summary>A service's own database: its tables, and the journal, inbox and cursors that every service has.</summary>
public abstract class ServiceDb(DbContextOptions options) : DbContext(options)
{
    /// <summary>Version of the tables; raised with every change of the model, so that an older file is refused with a clear message.</summary>
    public virtual int SchemaVersion => 2;

    /// <summary>The columns of this service's own tables that hold sealed texts.</summary>
    public virtual IReadOnlyList<SealedColumn> SealedColumns => [];

    public DbSet<JournalEntry> Journal => Set<JournalEntry>();

    public DbSet<InboxEntry> Inbox => Set<InboxEntry>();

    public DbSet<InboxCursor> Cursors => Set<InboxCursor>();

    public DbSet<RelayCursor> Relay => Set<RelayCursor>();

    public DbSet<KeyCheck> KeyChecks => Set<KeyCheck>();

    public DbSet<SealingCheck> SealingChecks => Set<SealingCheck>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<JournalEntry>(entry =>
        {
            entry.ToTable("journal");
            entry.HasKey(e => e.Position);
            entry.Property(e => e.Position).ValueGeneratedNever();
            entry.HasIndex(e => e.EventId).IsUnique();
            entry.HasIndex(e => new { e.PatientKey, e.Position });
            entry.HasIndex(e => new { e.Type, e.Position });
        });
        modelBuilder.Entity<InboxEntry>(entry =>
        {
            entry.ToTable("inbox");
            entry.HasKey(e => new { e.Publisher, e.Position });
        });
        modelBuilder.Entity<InboxCursor>(cursor =>
        {
            cursor.ToTable("inbox_cursors");
            cursor.HasKey(c => c.Publisher);
        });
        modelBuilder.Entity<KeyCheck>(check =>
        {
            check.ToTable("key_check");
            check.HasKey(c => c.Id);
            check.Property(c => c.Id).ValueGeneratedNever();
        });
        modelBuilder.Entity<SealingCheck>(check =>
        {
            check.ToTable("sealing_checks");
            check.HasKey(c => c.KeyId);
        });
        modelBuilder.Entity<RelayCursor>(cursor =>
        {
            cursor.ToTable("relay_cursor");
            cursor.HasKey(c => c.Id);
            cursor.Property(c => c.Id).ValueGeneratedNever();
        });
        // Where one process has the database to itself there is nobody to tell.
        if (Database.IsNpgsql())
        {
            modelBuilder.Entity<Replica>(replica =>
            {
                replica.ToTable("replicas");
                replica.HasKey(r => r.Name);
            });
        }
    }

    /// <summary>Instants are stored as UTC milliseconds: they sort, compare and index alike on every database.</summary>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<InstantConverter>();

    private sealed class InstantConverter() : Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter<DateTimeOffset, long>(
        instant => instant.ToUnixTimeMilliseconds(), milliseconds => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
}

/// <summary>A column of sealed texts.</summary>
/// <param name="Entity">The row's type.</param>
/// <param name="Property">The text's name in it.</param>
/// <param name="Purpose">What it is sealed for, <see cref="SealedFor"/>.</param>
public sealed record SealedColumn(Type Entity, string Property, string Purpose);

/// <summary>An event of another service that has been applied but lies beyond the inbox's cursor.</summary>
public sealed class InboxEntry
{
    public required string Publisher { get; init; }

    public required long Position { get; init; }
}

/// <summary>Everything of a publisher up to this position has been applied.</summary>
public sealed class InboxCursor
{
    public required string Publisher { get; init; }

    public long Position { get; set; }
}

/// <summary>Everything of the own journal up to this position has been handed on.</summary>
public sealed class RelayCursor
{
    /// <summary>The relay to the bus.</summary>
    public const int ToBus = 1;

    /// <summary>The relay to outside systems.</summary>
    public const int ToEdge = 2;

    public int Id { get; init; } = ToBus;

    public long Position { get; set; }
}

/// <summary>Tells whether the patients' key is still the one that this database was made with.</summary>
public sealed class KeyCheck
{
    public int Id { get; init; } = 1;

    public required string Value { get; init; }
}

/// <summary>Tells whether a sealing key is still the one that this database was written with.</summary>
public sealed class SealingCheck
{
    public required string KeyId { get; init; }

    /// <summary>Sealed under that key; opens under no other.</summary>
    public required string Text { get; init; }
}
