using Microsoft.EntityFrameworkCore;
using Sloring.Hosting;

namespace Sloring.Scheduler;

/// <summary>Scheduler's database: the deadlines are the truth, Quartz is only the clock.</summary>
public sealed class SchedulerDb(DbContextOptions<SchedulerDb> options) : ServiceDb(options)
{
    public DbSet<Deadline> Deadlines => Set<Deadline>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<Deadline>(deadline =>
        {
            deadline.ToTable("deadlines");
            deadline.HasKey(d => d.Number);
            deadline.HasIndex(d => d.Id).IsUnique();
            deadline.HasIndex(d => new { d.Subject, d.DueAt });
            // Two partial indexes: a sweep reads the head of the first, so neither pending nor fired rows cost it anything.
            deadline.HasIndex(d => new { d.DueAt, d.Number }, "deadlines_pending").HasFilter("\"State\" = 0");
            deadline.HasIndex(d => new { d.DueAt, d.Number }, "deadlines_done").HasFilter("\"State\" <> 0");
        });
    }
}
