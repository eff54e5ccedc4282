using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sloring.Hosting;

/// <summary>A process of a service, as it tells the others of itself.</summary>
internal sealed class Replica
{
    /// <summary>Machine and port: a replica that starts again takes its place.</summary>
    public required string Name { get; init; }

    public required string Version { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>By the database's clock; of a replica that has not told yet, when it started.</summary>
    public required DateTimeOffset HeardAt { get; init; }

    /// <summary>Position of the other service's journal that its picture is of; null where it holds none.</summary>
    public long? Position { get; init; }

    /// <summary>Age of that picture when it told; null as above.</summary>
    public double? StalenessSeconds { get; init; }

    /// <summary>Whether that picture may be used; null as above.</summary>
    public bool? Fresh { get; init; }
}

/// <summary>The picture of another service's data that a replica holds in memory.</summary>
/// <param name="Position">Position of the other's journal that it is of.</param>
/// <param name="StalenessSeconds">Seconds since it was certainly whole.</param>
/// <param name="Fresh">Whether it may be used.</param>
public sealed record HeldPicture(long Position, double StalenessSeconds, bool Fresh);

/// <summary>What tells of a service's picture; only of a service that holds one.</summary>
internal sealed record PictureOf<TDb>(Func<HeldPicture> Now) where TDb : ServiceDb;

/// <summary>This replica among those of its service. What it tells of itself is no part of the journal, and written beside the service's own writes.</summary>
internal sealed class Replicas<TDb>(
    IDbContextFactory<TDb> factory, Database database, ReplicaName name, TimeProvider clock, IEnumerable<PictureOf<TDb>> pictures) where TDb : ServiceDb
{
    /// <summary>Several signs of life may be lost before it is taken for away.</summary>
    public static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(3);

    /// <summary>One not heard of for longer does not answer, as far as anybody can tell.</summary>
    public static readonly TimeSpan AwayAfter = TimeSpan.FromSeconds(15);

    /// <summary>So that one which was killed and not started again is seen to be missing, but not for ever.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromHours(1);
    private static readonly string Version = typeof(ServiceHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    private readonly DateTimeOffset _startedAt = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Whether there is anybody to tell.</summary>
    public bool MayBeSeveral => database.IsShared;

    private Replica Self
    {
        get
        {
            var picture = pictures.SingleOrDefault()?.Now();
            return new Replica
            {
                Name = name.Value,
                Version = Version,
                StartedAt = _startedAt,
                HeardAt = _startedAt,
                Position = picture?.Position,
                StalenessSeconds = picture?.StalenessSeconds,
                Fresh = picture?.Fresh,
            };
        }
    }

    public async Task Tell(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await database.TellOfReplica(db, Self, ForgetAfter, cancel);
    }

    public async Task TakeLeave(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await database.TakeLeave(db, Self, cancel);
    }

    /// <summary>All replicas that are known, by their names, and how long ago each was heard of.</summary>
    public Task<IReadOnlyList<(Replica Replica, TimeSpan Silent)>> All(TDb db, CancellationToken cancel) => database.Replicas(db, Self, cancel);
}

/// <summary>What this process is called among the replicas of its services.</summary>
internal sealed record ReplicaName(string Value)
{
    public static ReplicaName Of(ListenOptions listen) => new($"{Environment.MachineName}:{(Uri.TryCreate(listen.Http, UriKind.Absolute, out var http) ? http.Port : 0)}");
}

/// <summary>Gives signs of life for as long as the process runs, and takes leave at its end.</summary>
internal sealed class TellOfReplica<TDb>(Replicas<TDb> replicas, Store<TDb> store, Database database, TimeProvider clock, ILogger<TellOfReplica<TDb>> log) : BackgroundService where TDb : ServiceDb
{
    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!replicas.MayBeSeveral)
            return;
        using var timer = new PeriodicTimer(Replicas<TDb>.TellEvery, clock);
        do
        {
            await Try(replicas.Tell, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!replicas.MayBeSeveral)
            return;
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(LongestLeave);
        await Try(replicas.TakeLeave, limited.Token);
    }

    /// <summary>Nothing depends on it: without the database a replica is not heard of, which is what others are to see.</summary>
    private async Task Try(Func<CancellationToken, Task> tell, CancellationToken cancel)
    {
        try
        {
            await tell(cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested && !database.IsAway(e))
        {
            Faults.Log(log, e, $"Telling of a replica of {store.Service}");
        }
        catch (Exception)
        {
            log.LogDebug("{Service} could not tell that this replica is there or leaves", store.Service);
        }
    }
}
