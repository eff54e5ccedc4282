using FsCheck;
using FsCheck.Fluent;
using Microsoft.Data.Sqlite;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Service.Scheduler;

/// <summary>Random histories of sets, cancels, repeats, sweeps, waits and restarts against a model that is a dictionary.</summary>
public sealed class DeadlineHistoryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-histories-").FullName;
    private int _histories;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact] // M6, A3, A8: each reminder, notice and end is told once, never before its instant, never when it was taken back
    public void AnyHistory_FiresWhatTheModelFires() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(40).WithEndSize(50), Prop.ForAll(Steps().ListOf().ToArbitrary(), steps => Holds([.. steps])));

    private static Gen<Step> Steps() => Gen.Frequency(
        (6, from id in Gen.Choose(0, 15) from due in Gen.Choose(0, 200) select (Step)new Set(id, due)),
        (3, Gen.Choose(0, 15).Select(id => (Step)new CancelIt(id))),
        (4, Gen.Choose(1, 60).Select(minutes => (Step)new Wait(minutes))),
        (4, Gen.Constant<Step>(new SweepNow())),
        (1, Gen.Constant<Step>(new Restart())));

    private bool Holds(IReadOnlyList<Step> steps)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, $"{++_histories}")).FullName;
        return Task.Run(() => Run(folder, [.. steps, new Wait(1_000), new SweepNow()])).GetAwaiter().GetResult();
    }

    private static async Task<bool> Run(string folder, IReadOnlyList<Step> steps)
    {
        var clock = new StandingClock();
        var store = await Open(folder, clock);
        var model = new Model();
        foreach (var step in steps)
        {
            switch (step)
            {
                case Set(var id, var due):
                    var at = StandingClock.Start.AddMinutes(due);
                    await store.Write("registration", scope => new OnDeadlineSet().React(SetOf(id, at), scope), default);
                    model.Set(id, at);
                    break;
                case CancelIt(var id) when model.Knows(id):
                    await store.Write("registration", scope => new OnDeadlineCancelled().React(CancelOf(id), scope), default);
                    model.Cancel(id);
                    break;
                case CancelIt(var id):
                    // Too early: refused so that it is tried again, and nothing is kept of it.
                    await Assert.ThrowsAsync<NotYetException>(
                        () => store.Write("registration", scope => new OnDeadlineCancelled().React(CancelOf(id), scope), default));
                    break;
                case Wait(var minutes):
                    clock.Now = clock.Now.AddMinutes(minutes);
                    break;
                case SweepNow:
                    var nearest = await new SweepDeadlines(store, new LastSweep(), clock).Sweep(default);
                    Assert.Equal(model.Sweep(clock.Now), nearest);
                    break;
                case Restart:
                    store.Dispose();
                    store = await Open(folder, clock);
                    break;
            }
        }
        var told = (await SchedulerHost.Journal(store)).ConvertAll(e => (DeadlineReached)EventJson.Read(e.Type, e.Data));
        Assert.Equal(model.Fired, told.ConvertAll(e => (IdOf(e.DeadlineId), e.DueAt, e.FiredAt)));
        Assert.True((await store.Verify(default)).Intact);
        store.Dispose();
        return true;
    }

    private static Task<Store<SchedulerDb>> Open(string folder, TimeProvider clock) => TestDatabase.Ready<SchedulerDb>(folder, "scheduler", clock);

    private static DeadlineSet SetOf(int id, DateTimeOffset due) => new()
    {
        DeadlineId = Text(id),
        Owner = "registration",
        About = "m",
        Kind = DeadlineKinds.Expiry,
        DueAt = due,
    };

    private static DeadlineCancelled CancelOf(int id) => new() { DeadlineId = Text(id), About = "m" };

    private static string Text(int id) => new Guid(id, 0, 0, new byte[8]).ToString();

    private static int IdOf(string text) => Convert.ToInt32(text[..8], 16);

    private abstract record Step;

    private sealed record Set(int Id, int DueMinutes) : Step;

    private sealed record CancelIt(int Id) : Step;

    private sealed record Wait(int Minutes) : Step;

    private sealed record SweepNow : Step;

    private sealed record Restart : Step;

    private sealed class StandingClock : TimeProvider
    {
        public static readonly DateTimeOffset Start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

        public DateTimeOffset Now { get; set; } = Start;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class Model
    {
        private readonly Dictionary<int, DateTimeOffset> _pending = [];
        private readonly List<int> _inOrder = [];

        public List<(int Id, DateTimeOffset DueAt, DateTimeOffset FiredAt)> Fired { get; } = [];

        public bool Knows(int id) => _inOrder.Contains(id);

        public void Set(int id, DateTimeOffset due)
        {
            if (Knows(id))
                return;
            _inOrder.Add(id);
            _pending[id] = due;
        }

        public void Cancel(int id) => _pending.Remove(id);

        public DateTimeOffset? Sweep(DateTimeOffset now)
        {
            foreach (var id in _inOrder.Where(id => _pending.TryGetValue(id, out var due) && due <= now).OrderBy(id => _pending[id]).ToList())
            {
                Fired.Add((id, _pending[id], now));
                _pending.Remove(id);
            }
            return _pending.Count == 0 ? null : _pending.Values.Min();
        }
    }
}
