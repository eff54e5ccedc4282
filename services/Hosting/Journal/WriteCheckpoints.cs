using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>Settings under <c>Audit</c>.</summary>
public sealed class AuditOptions
{
    /// <summary>Minutes after which a journal that has grown gets a signed checkpoint; 0: none.</summary>
    public int CheckpointMinutes { get; set; } = 60;
}

/// <summary>
/// Signs where the journal ends, now and then (rule O3). The checkpoint goes into the journal and, since one that is kept only there goes with
/// what is cut off, to the log and to whoever asks for it: somebody outside of the platform keeps them. Any number of replicas may look; what is
/// due is decided again where it is written.
/// </summary>
public sealed class WriteCheckpoints<TDb>(
    Store<TDb> store, CheckpointSigner signer, IOptions<AuditOptions> options, TimeProvider clock, ILogger<WriteCheckpoints<TDb>> log) : BackgroundService
    where TDb : ServiceDb
{
    /// <summary>So many are looked through for one that holds: where somebody has put in more that do not, a new one is made.</summary>
    private const int LookedAt = 100;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);
    private static readonly string Checkpointed = EventNames.Of<JournalCheckpointed>();

    private TimeSpan Every => TimeSpan.FromMinutes(options.Value.CheckpointMinutes);

    /// <summary>Makes a checkpoint if one is due.</summary>
    public async Task Write(CancellationToken cancel)
    {
        if (!await store.Read(db => IsDue(db, cancel), cancel))
            return;
        var signed = await store.Write(store.Service, async scope =>
        {
            if (!await IsDue(scope.Db, scope.Cancel))
                return null;
            var at = DateTimeOffset.FromUnixTimeMilliseconds(scope.Now.ToUnixTimeMilliseconds());
            var state = new JournalState(store.Service, scope.End.Position, Convert.ToHexStringLower(scope.End.Hash), at);
            var signed = signer.Sign(state);
            await scope.Append(new JournalCheckpointed { Position = state.Position, Hash = state.Hash, Signed = signed });
            return signed;
        }, cancel);
        if (signed is not null)
            log.LogInformation("Checkpoint of {Service}: {Signed}", store.Service, signed);
    }

    /// <summary>Before anything listens: without its key no checkpoint could ever be made, and nobody might notice.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (Every > TimeSpan.Zero)
            signer.CheckKey();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Every == TimeSpan.Zero)
            return;
        using var look = new PeriodicTimer(LookEvery, clock);
        do
        {
            try
            {
                await Write(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                Faults.Log(log, e, $"Checkpointing {store.Service}");
            }
        }
        while (await look.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<bool> IsDue(TDb db, CancellationToken cancel)
    {
        var journal = db.Journal.AsNoTracking();
        var newest = await journal.Where(e => e.Type == Checkpointed).OrderByDescending(e => e.Position).Take(LookedAt).ToListAsync(cancel);
        // What the entry says of itself, anybody with the database's password can have written.
        var last = newest.Select(entry => (entry.Position, State: CheckpointRules.Stated(entry, store.Service, signer))).FirstOrDefault(one => one.State is not null);
        var since = last.State?.At ?? await journal.OrderBy(e => e.Position).Select(e => (DateTimeOffset?)e.OccurredAt).FirstOrDefaultAsync(cancel);
        var head = await journal.OrderByDescending(e => e.Position).Select(e => e.Position).FirstOrDefaultAsync(cancel);
        return CheckpointRules.IsDue(since, head > last.Position, Every, clock.GetUtcNow());
    }
}
