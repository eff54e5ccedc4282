using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Distributed.Faults;

/// <summary>The checker is itself checked by breaking what it is given: a run that is whole has no violation, and each way of breaking it is seen.</summary>
public sealed class HistoryCheckerTests
{
    [Fact]
    public void WholeRun_HasNoViolation()
    {
        var run = new SmallRun();
        run.Read("effectuation-1", 11_500, shown: SmallRun.Cvr); // before the bound: counted, no violation
        run.Read("effectuation-1", 25_000, masked: SmallRun.Cvr);
        run.Read("effectuation-2", 95_000, shown: SmallRun.Cvr);
        var verdict = HistoryChecker.Check(run.Recorded());
        Assert.Empty(verdict.Violations);
        Assert.Equal(500, verdict.LongestExposureMs, 1);
        Assert.Equal((1, 1, 1, 1), (verdict.Exposed, verdict.ReadsBound, verdict.ReadsFree, verdict.DeadlinesFired));
    }

    [Fact]
    public void AcceptedActivationThatIsNotInTheJournal_IsSeen() => Sees("a", "does not stand in the journal", run =>
        run.History.Add(run.History[0] with { MaskingId = Guid.NewGuid().ToString(), Patient = 9 }));

    [Fact]
    public void ActivationJournaledTwice_IsSeen() => Sees("a", "stands in the journal twice", run => run.Register(run.Activated));

    [Fact]
    public void ActivationThatNobodyMade_IsSeen() => Sees("a", "that nobody made", run =>
        run.Register(run.Activated with { MaskingId = Guid.NewGuid().ToString() }));

    [Fact]
    public void TwoActivationsWithOneMasking_IsSeen() => Sees("a", "two activations were answered", run => run.History.Add(run.History[0]));

    [Fact]
    public void MaskingWithAnotherEndThanAnswered_IsSeen() => Sees("a", "is not as it was answered", run =>
        run.History[0] = run.History[0] with { EndsAt = 61_000 });

    [Fact]
    public void RegisterThatDiffersFromItsJournal_IsSeen() => Sees("a", "in the register", run => run.Masking = MaskingState.InForce);

    [Fact]
    public void EndThatNobodyAskedFor_IsSeen() => Sees("a", "nobody asked for it", run => run.EndedAs("ended", MaskingState.Ended, CaseState.Ended));

    [Fact]
    public void AcceptedEndThatDidNothing_IsSeen() => Sees("a", "'end' of masking", run => run.History.Add(run.Operation("end", 30_000, 30_100)));

    [Fact]
    public void AcceptedDecisionThatIsNotJournaled_IsSeen() => Sees("a", "'uphold' of masking", run => run.History.Add(run.Operation("uphold", 30_000, 30_100)));

    [Fact]
    public void AcceptedReasonThatIsNotJournaled_IsSeen() => Sees("a", "'reason' of masking", run => run.History.Add(run.Operation("reason", 30_000, 30_100)));

    [Fact]
    public void NameShownAfterTheBound_IsSeen() => Sees("b", "10.5 s after", run => run.Read("effectuation-1", 21_500, shown: SmallRun.Cvr));

    [Fact]
    public void NameShownByAnUpdateAfterTheBound_IsSeen() => Sees("b", "in a update", run => run.Read("update", 40_000, kind: "update", shown: SmallRun.Cvr));

    [Fact]
    public void NameShownOnceItMayHaveEnded_IsNoViolation()
    {
        var run = new SmallRun();
        run.History.Add(run.Operation("end", 30_000, null));
        run.Read("effectuation-1", 31_000, shown: SmallRun.Cvr);
        Assert.Empty(HistoryChecker.Check(run.Recorded()).Violations);
    }

    [Fact]
    public void NameShownByAReadThatOverlapsTheEnd_IsNoViolation()
    {
        var run = new SmallRun();
        run.Read("effectuation-1", 59_900, shown: SmallRun.Cvr, took: 200);
        Assert.Empty(HistoryChecker.Check(run.Recorded()).Violations);
    }

    [Fact]
    public void EndOfASupersededMasking_ExcusesNothing() => Sees("b", "showed a name", run =>
    {
        // Another activation while the first is in force, sent after the first was answered; the end names the first.
        run.Supersede(15_000, endsAt: 300_000);
        run.History.Add(run.Operation("end", 20_000, 20_100) with { Outcome = "unanswered", End = null });
        run.Read("effectuation-1", 40_000, shown: SmallRun.Cvr);
    });

    [Fact]
    public void NameStillMaskedLongAfterTheEnd_IsSeen() => Sees("c", "whose maskings are over", run => run.Read("effectuation-1", 95_000, masked: SmallRun.Cvr));

    [Fact]
    public void NameMaskedThatNobodyMasks_IsSeen() => Sees("c", "whom nobody masks", run => run.Read("effectuation-1", 95_000, patient: 7, masked: SmallRun.Cvr));

    [Fact]
    public void NameStillMaskedWhileSomethingIsDown_IsNoViolation()
    {
        var run = new SmallRun();
        run.History.Add(new HistoryLine { Kind = "fault", Name = "kill", Phase = "begin", Down = true, Start = 65_000 });
        run.Read("effectuation-1", 95_000, masked: SmallRun.Cvr);
        Assert.Empty(HistoryChecker.Check(run.Recorded()).Violations);
    }

    [Fact]
    public void DeadlineThatFiredTwice_IsSeen() => Sees("d", "fired 2 times", run => run.Fire());

    [Fact]
    public void DeadlineThatDidNotFire_IsSeen() => Sees("d", "did not fire", run =>
    {
        run.Scheduler.Clear();
        run.Deadline = DeadlineState.Pending;
    });

    [Fact]
    public void DeadlineThatFiredAfterItWasTakenBack_IsSeen() => Sees("d", "[Cancelled] at the scheduler", run =>
    {
        run.Register(new DeadlineCancelled { DeadlineId = run.DeadlineId, About = run.Activated.MaskingId });
        run.Deadline = DeadlineState.Cancelled;
    });

    [Fact]
    public void DeadlineThatFiredBeforeItsInstant_IsSeen() => Sees("d", "fired at", run =>
    {
        run.Scheduler.Clear();
        run.Fire(firedAt: 59_000);
    });

    [Fact]
    public void MaskingMadeToEndBeforeItsEnd_IsSeen() => Sees("d", "before its end", run => run.EndedAs("expired", MaskingState.Expired, CaseState.Expired, at: 50_000));

    [Fact]
    public void MaskingThatOutlivesItsEnd_IsSeen() => Sees("d", "is still in force", run =>
    {
        run.Registration.RemoveAt(run.Registration.Count - 1);
        (run.Masking, run.Case) = (MaskingState.InForce, CaseState.Open);
    });

    [Fact]
    public void ClockThatWasAhead_IsCounted()
    {
        var run = new SmallRun();
        run.Scheduler.Insert(0, SmallRun.Entry(new DeadlineReached { DeadlineId = run.DeadlineId, Owner = "registration", About = "x", Kind = "expiry", DueAt = SmallRun.At(360_000), FiredAt = SmallRun.At(361_000) }, 361_000));
        Assert.Equal(1, HistoryChecker.Check(run.Recorded()).FiredAhead);
    }

    [Fact]
    public void BrokenChain_IsSeen() => Sees("e", "is broken at position 2", run => run.Break = true);

    [Fact]
    public void MissingEntry_IsSeen() => Sees("e", "is broken at position 2", run => run.Hole = true);

    [Fact]
    public void MaskingWithoutACase_IsSeen() => Sees("f", "has 0 cases", run => run.Approval.Clear());

    [Fact]
    public void MaskingWithTwoCases_IsSeen() => Sees("f", "has 2 cases", run => run.Approval.Add(run.Approval[0]));

    [Fact]
    public void CaseInAnotherState_IsSeen() => Sees("f", "at the approval", run => run.Case = CaseState.Open);

    [Fact]
    public void DeadlineRowInAnotherState_IsSeen() => Sees("f", "at the scheduler", run => run.Deadline = DeadlineState.Pending);

    [Fact]
    public void PictureThatLacksAMasking_IsSeen() => Sees("f", "in force is [29190623", run => run.Picture(30_000));

    [Fact]
    public void PictureWithAMaskingTooMany_IsSeen() => Sees("f", "in its picture", run => run.Picture(95_000, endsAt: 200_000));

    [Theory]
    [InlineData("patient 6101000001 was not found")]
    [InlineData("patient 610100-0001 was not found")]
    public void CprNumberInALog_IsSeen(string text) => Sees("g", "the log of registration-1, line 12", run => run.Log = new LogLine("registration-1", 12, text));

    private static void Sees(string rule, string evidence, Action<SmallRun> breaking)
    {
        var run = new SmallRun();
        breaking(run);
        var violations = HistoryChecker.Check(run.Recorded()).Violations;
        Assert.Contains(violations, violation => violation.Rule == rule && violation.Evidence.Contains(evidence, StringComparison.Ordinal));
    }

    /// <summary>One patient is masked from 10 s on, acknowledged at 11 s, until the end at 60 s that its deadline brings about; read at 120 s.</summary>
    private sealed class SmallRun
    {
        public const string Cvr = "29190623";
        private const string Patient = "00112233445566778899aabbccddeeff";
        private string? _later;

        public SmallRun()
        {
            Activated = new RegistrationActivated
            {
                MaskingId = Guid.NewGuid().ToString(),
                PatientKey = Patient,
                SealedCpr = "sealed",
                Cvr = Cvr,
                Trigger = "threats",
                BehaviourOn = new DateOnly(2025, 1, 15),
                ActivatedAt = At(10_500),
                EndsAt = At(60_000),
                ActivatedBy = "hw-1001",
                ActivatorRole = "health-worker",
            };
            History.Add(new HistoryLine { Kind = "activate", Patient = 1, Cvr = Cvr, Via = "amqp", Start = 10_000, End = 11_000, Outcome = "accepted", MaskingId = Activated.MaskingId, EndsAt = 60_000 });
            Register(Activated, 10_500);
            Register(new DeadlineSet { DeadlineId = DeadlineId, Owner = "registration", About = Activated.MaskingId, Kind = DeadlineKinds.Expiry, DueAt = At(60_000) }, 10_500);
            Approval.Add(Entry(new CaseOpened { CaseId = Activated.MaskingId, PatientKey = Patient, Cvr = Cvr, DecisionDue = At(900_000) }, 10_700));
            Fire();
            EndedAs("expired", MaskingState.Expired, CaseState.Expired);
        }

        public RegistrationActivated Activated { get; }

        public string DeadlineId { get; } = Guid.NewGuid().ToString();

        public List<HistoryLine> History { get; } = [];

        public List<JournalEntry> Registration { get; } = [];

        public List<JournalEntry> Approval { get; } = [];

        public List<JournalEntry> Scheduler { get; } = [];

        public MaskingState Masking { get; set; }

        public CaseState Case { get; set; }

        public DeadlineState Deadline { get; set; } = DeadlineState.Fired;

        public bool Break { get; set; }

        public bool Hole { get; set; }

        public LogLine Log { get; set; } = new("registration-1", 12, "nothing of note, 61010000011 and 61010");

        public static DateTimeOffset At(double ms) => DateTimeOffset.UnixEpoch.AddMilliseconds(ms);

        public void Register(IEvent e, double at = 12_000) => Registration.Add(Entry(e, at));

        public void Fire(double firedAt = 60_500) => Scheduler.Add(Entry(
            new DeadlineReached { DeadlineId = DeadlineId, Owner = "registration", About = Activated.MaskingId, Kind = DeadlineKinds.Expiry, DueAt = At(60_000), FiredAt = At(firedAt) }, firedAt));

        public void EndedAs(string cause, MaskingState masking, CaseState @case, double at = 61_000)
        {
            Registration.RemoveAll(entry => entry.Type == EventNames.Of<RegistrationEnded>());
            Register(new RegistrationEnded { MaskingId = Activated.MaskingId, PatientKey = Patient, Cvr = Cvr, Cause = cause, EndedAt = At(60_000), EndedBy = "clock" }, at);
            (Masking, Case) = (masking, @case);
        }

        public void Supersede(double at, double endsAt)
        {
            EndedAs("expired", MaskingState.Superseded, CaseState.Superseded);
            Registration.RemoveAt(Registration.Count - 1);
            var later = Activated with { MaskingId = _later = Guid.NewGuid().ToString(), EndsAt = At(endsAt), SupersededMaskingId = Activated.MaskingId };
            Register(later, at);
            History.Add(History[0] with { Start = at, End = at + 100, MaskingId = _later, EndsAt = endsAt });
        }

        public HistoryLine Operation(string kind, double start, double? end) => new()
        {
            Kind = kind,
            Patient = 1,
            Cvr = Cvr,
            MaskingId = Activated.MaskingId,
            Start = start,
            End = end,
            Outcome = end is null ? "unanswered" : "accepted",
        };

        public void Read(string replica, double start, string kind = "read", int patient = 1, string? shown = null, string? masked = null, double took = 20) => History.Add(new HistoryLine
        {
            Kind = kind,
            Replica = replica,
            Patient = patient,
            Start = start,
            End = start + took,
            Outcome = "accepted",
            Shown = shown is null ? [] : [shown],
            Masked = masked is null ? [] : [masked],
        });

        public void Picture(double at, double? endsAt = null) => History.Add(new HistoryLine
        {
            Kind = "picture",
            Replica = "effectuation-2",
            Patient = 1,
            Start = at,
            End = at + 20,
            Outcome = "accepted",
            Organisations = endsAt is { } end ? new Dictionary<string, double> { [Cvr] = end } : new Dictionary<string, double>(),
        });

        public Recorded Recorded()
        {
            var journals = new Dictionary<string, IReadOnlyList<JournalEntry>> { ["registration"] = Chain(Registration), ["approval"] = Chain(Approval), ["scheduler"] = Chain(Scheduler) };
            if (Break)
                journals["registration"][1].Hash[0] ^= 1;
            if (Hole)
                journals["registration"] = [.. journals["registration"].Where(entry => entry.Position != 2)];
            return new Recorded
            {
                History = History,
                Journals = journals,
                Maskings = [new MaskingRow(Activated.MaskingId, Masking), .. _later is null ? Array.Empty<MaskingRow>() : [new MaskingRow(_later, MaskingState.InForce)]],
                Cases = [new CaseRow(Activated.MaskingId, Case)],
                Deadlines = [new DeadlineRow(DeadlineId, Deadline)],
                ReadAt = 120_000,
                Logs = [Log],
                CprNumbers = new HashSet<string> { "6101000001" },
            };
        }

        public static JournalEntry Entry(IEvent e, double at) => new()
        {
            Position = 1,
            EventId = Guid.NewGuid(),
            Type = EventNames.Of(e.GetType()),
            Subject = e.Subject,
            PatientKey = e.Patient ?? "",
            OccurredAt = At(at),
            Actor = "test",
            Data = EventJson.Write(e),
            TraceParent = "",
        };

        private static List<JournalEntry> Chain(List<JournalEntry> entries)
        {
            var (chain, previous) = (new List<JournalEntry>(), new byte[32]);
            foreach (var entry in entries)
            {
                var next = new JournalEntry
                {
                    Position = chain.Count + 1,
                    EventId = entry.EventId,
                    Type = entry.Type,
                    Subject = entry.Subject,
                    PatientKey = entry.PatientKey,
                    OccurredAt = entry.OccurredAt,
                    Actor = entry.Actor,
                    Data = entry.Data,
                    TraceParent = "",
                };
                previous = next.Hash = next.HashAfter(previous);
                chain.Add(next);
            }
            return chain;
        }
    }
}
