using Microsoft.EntityFrameworkCore;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>Only the journal: for the audit trail of reads, and the inbox. What is masked lives in memory, from the watch.</summary>
public sealed class EffectuationDb(DbContextOptions<EffectuationDb> options) : ServiceDb(options);
