using System.Globalization;
using System.Text.RegularExpressions;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Scheduler;

namespace Sloring.Tests.Distributed.Faults;

/// <summary>Something that must never be, and how it is known.</summary>
/// <param name="Rule">One of the checker's rules, a to g.</param>
/// <param name="Evidence">Patients by their number in the run.</param>
public sealed record Violation(string Rule, string Evidence);

/// <summary>What the checker found.</summary>
/// <param name="Violations">None in a good run.</param>
/// <param name="LongestExposureMs">The longest time after an acknowledgement at which a read was begun that still showed the name.</param>
/// <param name="Exposed">Reads begun after an acknowledgement that still showed the name.</param>
/// <param name="DeadlinesFired">Deadlines that fired.</param>
/// <param name="FiredAhead">Those whose entry shows, beside later entries, that the clock that fired them was ahead.</param>
/// <param name="ReadsBound">Reads that had to mask.</param>
/// <param name="ReadsFree">Reads that had to show.</param>
public sealed record Verdict(
    IReadOnlyList<Violation> Violations, double LongestExposureMs, int Exposed, int DeadlinesFired, int FiredAhead, int ReadsBound, int ReadsFree);

/// <summary>
/// Holds what the foreign systems did and saw against the journals and tables of the services. A pure function. Whatever could have happened in
/// time's favour is granted: only what no order of events explains is a violation.
/// </summary>
public sealed partial class HistoryChecker
{
    /// <summary>Effectuation:StalenessBoundSeconds (rule E7): a picture older than this is not answered from.</summary>
    private const double Bound = 10_000;

    /// <summary>Within this much time with everything up, names show again.</summary>
    private const double ShowAgain = 30_000;

    /// <summary>A deadline that came due so long ago has fired, and has been applied.</summary>
    private const double FireWithin = 15_000;

    /// <summary>The history's clock is monotonic, ends of maskings are wall-clock time.</summary>
    private const double ClockSlack = 250;

    /// <summary>What comes back needs a moment to find the others.</summary>
    private const double Settling = 10_000;

    private readonly Recorded _recorded;
    private readonly List<Violation> _violations = [];
    private readonly Dictionary<string, Masking> _maskings = [];
    private readonly Dictionary<string, HistoryLine> _activations = [];
    private readonly ILookup<(int Patient, string Cvr), HistoryLine> _activationsOf;
    private readonly ILookup<(int Patient, string Cvr), HistoryLine> _endingsOf;
    private readonly List<(double From, double To)> _down;
    private readonly Dictionary<int, string> _keys = [];
    private double _exposure;
    private int _exposed, _fired, _ahead, _bound, _free;

    private HistoryChecker(Recorded recorded)
    {
        _recorded = recorded;
        _activationsOf = Of("activate").Where(op => op.Outcome != "refused").ToLookup(op => (op.Patient, op.Cvr!));
        // Refused ones did nothing; those without an answer may have.
        _endingsOf = Of("end", "lift").Where(op => op.Outcome != "refused").ToLookup(op => (op.Patient, op.Cvr!));
        _down = [.. Downtimes(recorded.History)];
    }

    public static Verdict Check(Recorded recorded)
    {
        var checker = new HistoryChecker(recorded);
        checker.Chains();
        checker.Replay();
        checker.Activations();
        checker.Answers();
        checker.Reads();
        checker.Deadlines();
        checker.Subscribers();
        checker.Pictures();
        checker.Logs();
        return new Verdict(checker._violations, checker._exposure, checker._exposed, checker._fired, checker._ahead, checker._bound, checker._free);
    }

    /// <summary>(e) Every chain is whole.</summary>
    private void Chains()
    {
        foreach (var (service, journal) in _recorded.Journals)
        {
            var (previous, position) = (new byte[32], 0L);
            foreach (var entry in journal)
            {
                position++;
                if (entry.Position != position || !entry.HashAfter(previous).AsSpan().SequenceEqual(entry.Hash))
                {
                    Violated("e", $"the journal of {service} is broken at position {position} (it says {entry.Position})");
                    break;
                }
                previous = entry.Hash;
            }
        }
    }

    /// <summary>The register as its journal tells it.</summary>
    private void Replay()
    {
        foreach (var (entry, e) in Events("registration"))
        {
            switch (e)
            {
                case RegistrationActivated activated:
                    if (!_maskings.TryAdd(activated.MaskingId, new Masking(activated)))
                        Violated("a", $"masking {activated.MaskingId} stands in the journal twice, the second time at {entry.Position}");
                    if (activated.SupersededMaskingId is { } superseded && _maskings.TryGetValue(superseded, out var before))
                        Over(before, "superseded", entry, activated.ActivatedAt);
                    break;
                case RegistrationEnded ended when _maskings.TryGetValue(ended.MaskingId, out var masking):
                    Over(masking, ended.Cause, entry, ended.EndedAt);
                    break;
                case RegistrationEnded ended:
                    Violated("a", $"masking {ended.MaskingId}, which ended at {entry.Position}, was never activated");
                    break;
                case RegistrationReasonAdded reasoned when _maskings.TryGetValue(reasoned.MaskingId, out var masking):
                    masking.Reasons++;
                    break;
            }
        }
    }

    private void Over(Masking masking, string cause, JournalEntry entry, DateTimeOffset at)
    {
        if (masking.Cause is not null)
            Violated("a", $"masking {masking.Id} was {masking.Cause} and then {cause} at {entry.Position}");
        if (cause == "expired" && entry.OccurredAt < masking.EndsAt)
            Violated("d", $"masking {masking.Id} was made to end at {entry.OccurredAt:O}, before its end {masking.EndsAt:O}");
        (masking.Cause, masking.OverAt) = (cause, at);
    }

    /// <summary>(a) Every accepted activation stands in the journal once, and is in force or over for a journaled cause.</summary>
    private void Activations()
    {
        foreach (var op in Of("activate").Where(op => op.IsAccepted))
        {
            if (!_activations.TryAdd(op.MaskingId!, op))
                Violated("a", $"two activations were answered with masking {op.MaskingId}");
            if (!_maskings.TryGetValue(op.MaskingId!, out var masking))
            {
                Violated("a", $"the activation of patient {op.Patient} by {op.Cvr} over {op.Via}, accepted at {Instant(op.End!.Value)} as {op.MaskingId}, does not stand in the journal");
                continue;
            }
            if (masking.Cvr != op.Cvr || Math.Abs(Ms(masking.EndsAt) - op.EndsAt!.Value) > 1)
                Violated("a", $"masking {masking.Id} is not as it was answered: {masking.Cvr} until {masking.EndsAt:O}, answered {op.Cvr} until {Instant(op.EndsAt!.Value)}");
            if (_keys.TryAdd(op.Patient, masking.Patient) is false && _keys[op.Patient] != masking.Patient)
                Violated("a", $"patient {op.Patient} has two keys in the journal");
        }
        foreach (var same in _keys.GroupBy(pair => pair.Value).Where(group => group.Count() > 1))
            Violated("a", $"patients {string.Join(", ", same.Select(pair => pair.Key))} share a key");

        // What was never answered may have been accepted: each once, and nothing else.
        var patients = _keys.ToDictionary(pair => pair.Value, pair => pair.Key);
        var unexplained = _maskings.Values.Where(masking => !_activations.ContainsKey(masking.Id)).ToList();
        foreach (var group in unexplained.GroupBy(masking => (masking.Patient, masking.Cvr)))
        {
            var unanswered = patients.TryGetValue(group.Key.Patient, out var n)
                ? _activationsOf[(n, group.Key.Cvr)].Count(op => op.Outcome == "unanswered")
                : 1;
            if (group.Count() > unanswered)
                Violated("a", $"{group.Count()} activations of one patient by {group.Key.Cvr} stand in the journal that nobody made, the first {group.First().Id}; {unanswered} were without an answer");
        }
        var open = Of("activate").Count(op => op.Outcome == "unanswered");
        if (unexplained.Count > open)
            Violated("a", $"{unexplained.Count} activations stand in the journal that were not answered, but only {open} were without an answer");

        var rows = _recorded.Maskings.ToLookup(row => row.MaskingId);
        foreach (var masking in _maskings.Values)
        {
            var states = rows[masking.Id].Select(row => row.State).ToList();
            if (states.Count != 1 || states[0] != masking.State)
                Violated("a", $"masking {masking.Id} is {masking.State} by the journal, [{string.Join(", ", states)}] in the register");
            if (Ms(masking.EndsAt) < _recorded.ReadAt - FireWithin && masking.Cause is null)
                Violated("d", $"masking {masking.Id} was to end at {masking.EndsAt:O} and is still in force in the journal");
        }
        foreach (var row in _recorded.Maskings.Where(row => !_maskings.ContainsKey(row.MaskingId)))
            Violated("a", $"masking {row.MaskingId} of the register does not stand in its journal");
    }

    /// <summary>(a) What was answered to endings, reasons and decisions stands in the journals, and nothing ended that nobody ended.</summary>
    private void Answers()
    {
        var decided = Events("approval").Select(pair => pair.Event).OfType<ApprovalDecided>().ToLookup(e => e.CaseId);
        foreach (var op in Of("end", "lift", "uphold", "reason").Where(op => op.IsAccepted && _maskings.ContainsKey(op.MaskingId!)))
        {
            var masking = _maskings[op.MaskingId!];
            var good = op.Kind switch
            {
                "end" => masking.Cause == "ended",
                "lift" => masking.Cause is not null && decided[masking.Id].Count(e => e.Decision == "lifted") == 1,
                "uphold" => decided[masking.Id].Count(e => e.Decision == "upheld") == 1,
                _ => masking.Reasons == 1,
            };
            if (!good)
                Violated("a", $"'{op.Kind}' of masking {masking.Id} (patient {op.Patient}), accepted at {Instant(op.End!.Value)}: the masking is {masking.Cause ?? "in force"}, has {masking.Reasons} added reasons and the decisions [{string.Join(", ", decided[masking.Id].Select(e => e.Decision))}]");
        }
        var asked = Of("end", "lift").Where(op => op.Outcome != "refused").Select(op => (op.MaskingId!, op.Kind)).ToHashSet();
        foreach (var masking in _maskings.Values.Where(masking => masking.Cause is "ended" or "lifted"))
        {
            if (!asked.Contains((masking.Id, masking.Cause == "ended" ? "end" : "lift")))
                Violated("a", $"masking {masking.Id} was {masking.Cause}, and nobody asked for it");
        }
        foreach (var twice in decided.Where(group => group.Count() > 1))
            Violated("a", $"case {twice.Key} was decided {twice.Count()} times");
    }

    /// <summary>
    /// (b) From an acknowledgement and the bound on until the masking may first have ended, no read shows a name. (c) Some time after everything that could be in
    /// force is over, every read shows names.
    /// </summary>
    private void Reads()
    {
        foreach (var read in Of("read", "update").Where(read => read.IsAccepted))
        {
            foreach (var cvr in read.Shown)
                MustMask(read, cvr, shown: true);
            foreach (var cvr in read.Masked)
            {
                MustMask(read, cvr, shown: false);
                MustShow(read, cvr, shown: false);
            }
            foreach (var cvr in read.Shown)
                MustShow(read, cvr, shown: true);
        }
    }

    private void MustMask(HistoryLine read, string cvr, bool shown)
    {
        var bound = false;
        foreach (var activation in _activationsOf[(read.Patient, cvr)].Where(op => op.IsAccepted && op.End < read.Start && read.End < MayEndAt(op) - ClockSlack))
        {
            var after = read.Start - activation.End!.Value;
            bound |= after >= Bound;
            if (!shown)
                continue;
            _exposed++;
            _exposure = Math.Max(_exposure, after);
            if (after >= Bound)
            {
                Violated("b", $"{read.Replica} showed a name of {cvr} for patient {read.Patient} in a {read.Kind} from {Instant(read.Start)} to {Instant(read.End!.Value)}, "
                    + $"{after / 1000:F1} s after masking {activation.MaskingId} was acknowledged at {Instant(activation.End!.Value)}; it may have ended at {Instant(MayEndAt(activation))} first{DuringFault(read.Start)}");
            }
        }
        if (bound)
            _bound++;
    }

    /// <summary>The first instant at which an accepted activation may have ended: its own end, or the sending of whatever ends it or one that superseded it.</summary>
    private double MayEndAt(HistoryLine activation)
    {
        var end = activation.EndsAt!.Value;
        foreach (var ending in _endingsOf[(activation.Patient, activation.Cvr!)])
        {
            // One that was answered before this one was sent is superseded by it: what ends it does not end this one.
            var earlier = ending.MaskingId != activation.MaskingId && _activations.TryGetValue(ending.MaskingId!, out var target) && target.End < activation.Start;
            if (!earlier)
                end = Math.Min(end, ending.Start);
        }
        return end;
    }

    private void MustShow(HistoryLine read, string cvr, bool shown)
    {
        var all = _activationsOf[(read.Patient, cvr)].Where(op => op.Start < read.End).ToList();
        var free = all.TrueForAll(op => all.Exists(later => (later == op || op.End <= later.Start) && OverAt(later) is { } over && UpSince(over, read.Start) > ShowAgain));
        if (!free)
            return;
        _free++;
        if (!shown)
        {
            Violated("c", $"{read.Replica} masked {cvr} for patient {read.Patient} in a {read.Kind} at {Instant(read.Start)}, "
                + (all.Count == 0 ? "whom nobody masks" : $"whose maskings are over, the last since {Instant(all.Max(op => OverAt(op) ?? 0))}") + DuringFault(read.Start));
        }
    }

    /// <summary>When an accepted activation was over for certain; null where it never was.</summary>
    private double? OverAt(HistoryLine activation) => !activation.IsAccepted ? null : _endingsOf[(activation.Patient, activation.Cvr!)]
        .Where(ending => ending.IsAccepted && ending.MaskingId == activation.MaskingId).Select(ending => ending.End!.Value).Append(activation.EndsAt!.Value).Min();

    /// <summary>Time with everything up between two instants; none where something is down, or just came back.</summary>
    private double UpSince(double from, double to)
    {
        var up = to - from;
        foreach (var (down, back) in _down.Where(time => time.From < to && time.To > from))
            up = back > to ? 0 : up - (back - Math.Max(down, from));
        return up;
    }

    private static IEnumerable<(double, double)> Downtimes(IReadOnlyList<HistoryLine> history)
    {
        foreach (var begin in history.Where(line => line is { Kind: "fault", Phase: "begin", Down: true }))
        {
            var whole = history.FirstOrDefault(line => line is { Kind: "fault", Phase: "whole" } && line.Name == begin.Name && line.Start >= begin.Start);
            yield return (begin.Start, (whole?.Start ?? double.MaxValue / 2) + Settling);
        }
    }

    /// <summary>(d) Every deadline that came due fired once, never after it was taken back; (f) the scheduler's rows are what was set and taken back.</summary>
    private void Deadlines()
    {
        var owners = Events("registration").Concat(Events("approval")).Select(pair => pair.Event).ToList();
        var cancelled = owners.OfType<DeadlineCancelled>().Select(e => e.DeadlineId).ToHashSet();
        var reached = Events("scheduler").Where(pair => pair.Event is DeadlineReached).ToLookup(pair => ((DeadlineReached)pair.Event).DeadlineId);
        var rows = _recorded.Deadlines.ToLookup(row => row.DeadlineId);
        var set = new HashSet<string>();
        foreach (var deadline in owners.OfType<DeadlineSet>())
        {
            if (!set.Add(deadline.DeadlineId))
                Violated("d", $"deadline {deadline.DeadlineId} was set twice");
            var fired = reached[deadline.DeadlineId].Count();
            var what = $"deadline {deadline.DeadlineId} ({deadline.Owner} {deadline.Kind}, due {deadline.DueAt:O})";
            if (fired > 1)
                Violated("d", $"{what} fired {fired} times, at {string.Join(" and ", reached[deadline.DeadlineId].Select(pair => pair.Entry.Position))}");
            if (fired == 0 && !cancelled.Contains(deadline.DeadlineId) && Ms(deadline.DueAt) < _recorded.ReadAt - FireWithin)
                Violated("d", $"{what} did not fire");
            foreach (var (_, e) in reached[deadline.DeadlineId].Where(pair => ((DeadlineReached)pair.Event).FiredAt < deadline.DueAt))
                Violated("d", $"{what} fired at {((DeadlineReached)e).FiredAt:O}");
            var states = rows[deadline.DeadlineId].Select(row => row.State).ToList();
            var state = fired > 0 ? DeadlineState.Fired : cancelled.Contains(deadline.DeadlineId) ? DeadlineState.Cancelled : DeadlineState.Pending;
            if (states.Count != 1 || states[0] != state)
                Violated(fired > 0 && states.Contains(DeadlineState.Cancelled) ? "d" : "f", $"{what} is {state} by the journals, [{string.Join(", ", states)}] at the scheduler");
        }
        foreach (var row in _recorded.Deadlines.Where(row => !set.Contains(row.DeadlineId)))
            Violated("f", $"deadline {row.DeadlineId} of the scheduler was never set");
        foreach (var unknown in reached.Where(group => !set.Contains(group.Key)))
            Violated("d", $"deadline {unknown.Key} fired and was never set");
        _fired = reached.Count;
        _ahead = FiredAhead();
    }

    /// <summary>Entries are in the order of their commits: a deadline whose due instant lies after the time of a later entry was fired by a clock that is ahead.</summary>
    private int FiredAhead()
    {
        var (ahead, earliestLater) = (0, DateTimeOffset.MaxValue);
        foreach (var (entry, e) in Events("scheduler").Reverse())
        {
            if (e is DeadlineReached reached && earliestLater < reached.DueAt.AddSeconds(-1))
                ahead++;
            earliestLater = entry.OccurredAt < earliestLater ? entry.OccurredAt : earliestLater;
        }
        return ahead;
    }

    /// <summary>(f) One case a masking, in the state that the journals give it.</summary>
    private void Subscribers()
    {
        var opened = Events("approval").Select(pair => pair.Event).OfType<CaseOpened>().ToLookup(e => e.CaseId);
        var decided = Events("approval").Select(pair => pair.Event).OfType<ApprovalDecided>().ToLookup(e => e.CaseId, e => e.Decision);
        var rows = _recorded.Cases.ToLookup(row => row.CaseId);
        foreach (var masking in _maskings.Values)
        {
            if (opened[masking.Id].Count() != 1)
                Violated("f", $"masking {masking.Id} has {opened[masking.Id].Count()} cases in the journal of the approval");
            var state = decided[masking.Id].Contains("lifted") ? CaseState.Lifted : masking.Cause switch
            {
                "superseded" => CaseState.Superseded,
                "ended" => CaseState.Ended,
                "expired" => CaseState.Expired,
                _ => decided[masking.Id].Contains("upheld") ? CaseState.Upheld : CaseState.Open,
            };
            var states = rows[masking.Id].Select(row => row.State).ToList();
            if (states.Count != 1 || states[0] != state)
                Violated("f", $"the case of masking {masking.Id} is {state} by the journals, [{string.Join(", ", states)}] at the approval");
        }
        foreach (var row in _recorded.Cases.Where(row => !_maskings.ContainsKey(row.CaseId)))
            Violated("f", $"case {row.CaseId} is of no masking");
    }

    /// <summary>(f) Each replica's picture is what is in force.</summary>
    private void Pictures()
    {
        var inForce = _maskings.Values.Where(masking => masking.Cause is null or "expired").ToLookup(masking => masking.Patient);
        foreach (var picture in Of("picture"))
        {
            if (!picture.IsAccepted)
                Violated("f", $"{picture.Replica} did not tell its picture of patient {picture.Patient}: {picture.Code}");
            if (!picture.IsAccepted || !_keys.TryGetValue(picture.Patient, out var key))
                continue;
            // What ends just then may be in it or not.
            bool Passing(double endsAt) => endsAt > picture.Start - 2_000 && endsAt < picture.End!.Value + 2_000;
            var expected = inForce[key].Where(masking => Ms(masking.EndsAt) > picture.Start && !Passing(Ms(masking.EndsAt))).Select(masking => (masking.Cvr, Math.Round(Ms(masking.EndsAt)))).Order().ToList();
            var actual = picture.Organisations.Where(pair => !Passing(pair.Value)).Select(pair => (pair.Key, Math.Round(pair.Value))).Order().ToList();
            if (!expected.SequenceEqual(actual))
                Violated("f", $"{picture.Replica} has [{Text(actual)}] in its picture of patient {picture.Patient} at {Instant(picture.Start)}, in force is [{Text(expected)}]");
        }
        static string Text(IEnumerable<(string Cvr, double EndsAt)> maskings) => string.Join(", ", maskings.Select(masking => $"{masking.Cvr} until {Instant(masking.EndsAt)}"));
    }

    /// <summary>(g) No CPR number of the run stands in a log.</summary>
    private void Logs()
    {
        foreach (var line in _recorded.Logs)
        {
            foreach (Match match in TenDigits().Matches(line.Text))
            {
                if (_recorded.CprNumbers.Contains(match.Value.Replace("-", "", StringComparison.Ordinal)))
                    Violated("g", $"a CPR number stands in the log of {line.Process}, line {line.Number}");
            }
        }
    }

    private IEnumerable<HistoryLine> Of(params string[] kinds) => _recorded.History.Where(line => kinds.Contains(line.Kind));

    private IEnumerable<(JournalEntry Entry, IEvent Event)> Events(string service) => _recorded.Journals.GetValueOrDefault(service, [])
        .Where(entry => !EventNames.IsAuditOnly(entry.Type)).Select(entry => (entry, EventJson.Read(entry.Type, entry.Data)));

    private string DuringFault(double at)
    {
        var last = _recorded.History.LastOrDefault(line => line.Kind == "fault" && line.Start <= at);
        return last is null ? "" : $"; the last fault mark before it: {last.Name} {last.Phase}, {(at - last.Start) / 1000:F1} s";
    }

    private void Violated(string rule, string evidence) => _violations.Add(new Violation(rule, evidence));

    private static double Ms(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).TotalMilliseconds;

    private static string Instant(double ms) => DateTimeOffset.UnixEpoch.AddMilliseconds(Math.Min(ms, 1e14)).ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<!\d)\d{6}-?\d{4}(?!\d)")]
    private static partial Regex TenDigits();

    private sealed class Masking(RegistrationActivated activated)
    {
        public string Id { get; } = activated.MaskingId;

        public string Patient { get; } = activated.PatientKey;

        public string Cvr { get; } = activated.Cvr;

        public DateTimeOffset EndsAt { get; } = activated.EndsAt;

        /// <summary>Why it is over; null while it is not.</summary>
        public string? Cause { get; set; }

        public DateTimeOffset OverAt { get; set; }

        public int Reasons { get; set; }

        public MaskingState State => Cause switch
        {
            null => MaskingState.InForce,
            "superseded" => MaskingState.Superseded,
            "lifted" => MaskingState.Lifted,
            "ended" => MaskingState.Ended,
            _ => MaskingState.Expired,
        };
    }
}
