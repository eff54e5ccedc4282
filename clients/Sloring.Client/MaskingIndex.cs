using Sloring.Contracts;

namespace Sloring.Client;

/// <summary>
/// What is masked individually, and until when: an immutable picture, read by any number of threads without a lock. A change gives a new
/// picture that shares almost everything with the old one.
/// </summary>
/// <remarks>
/// Three tables, each newer and smaller than the next: recent (up to 64 entries), middle (up to 4,096) and settled. A change copies the recent
/// table; when that is full it is poured into the middle one, and that into the settled one. So one change costs microseconds on average
/// and the million settled maskings are copied once in some four thousand changes. The newest table that knows a masking is right.
/// Expiry is not stored: a masking is in force while its end is later than now (rule M6), whatever a scheduler does.
/// </remarks>
public sealed class MaskingIndex
{
    private readonly Sizes _sizes;
    private readonly MaskingTable _recent;
    private readonly MaskingTable _middle;
    private readonly MaskingTable _settled;

    private MaskingIndex(Sizes sizes, MaskingTable recent, MaskingTable middle, MaskingTable settled, int count) =>
        (_sizes, _recent, _middle, _settled, Count) = (sizes, recent, middle, settled, count);

    /// <summary>Nothing is masked.</summary>
    public static MaskingIndex Empty { get; } = FromSnapshot([]);

    /// <summary>Maskings held that have not been told to have ended.</summary>
    public int Count { get; }

    /// <summary>An index of a whole snapshot. Where a masking occurs twice, the later one counts.</summary>
    public static MaskingIndex FromSnapshot(IReadOnlyCollection<PatientMasking> maskings) => FromSnapshot(maskings, new Sizes(64, 4_096));

    internal static MaskingIndex FromSnapshot(IReadOnlyCollection<PatientMasking> maskings, Sizes sizes)
    {
        var all = new MaskingTable(maskings.Count);
        foreach (var masking in maskings)
            all.Put(Known(masking));
        var settled = all;
        if (all.All().Any(m => m.EndsAtMs == 0))
        {
            settled = new MaskingTable(all.Count);
            settled.PutAll(all, MaskingTable.Empty, withEnded: false);
        }
        return new MaskingIndex(sizes, MaskingTable.Empty, MaskingTable.Empty, settled, settled.Count);
    }

    /// <summary>True while the organisation's staff is masked towards the patient.</summary>
    public bool IsMasked(PatientKey patient, CvrNumber cvr, long nowMs) => EndsAt(patient, cvr) > nowMs;

    /// <summary>The end of a masking, milliseconds since 1970 UTC; 0 where there is none. May lie in the past.</summary>
    public long EndsAt(PatientKey patient, CvrNumber cvr)
    {
        if (_recent.Count != 0 && _recent.TryFind(patient, cvr.Value, out var endsAtMs))
            return endsAtMs;
        if (_middle.Count != 0 && _middle.TryFind(patient, cvr.Value, out endsAtMs))
            return endsAtMs;
        _settled.TryFind(patient, cvr.Value, out endsAtMs);
        return endsAtMs;
    }

    /// <summary>The maskings in force for one patient, in no order; enumerates without allocating.</summary>
    public PatientMaskings ForPatient(PatientKey patient, long nowMs) => new(this, patient, nowMs);

    /// <summary>This picture with changes applied, in order. An end of 0 removes.</summary>
    public MaskingIndex With(IReadOnlyCollection<PatientMasking> changes)
    {
        if (changes.Count == 0)
            return this;
        var newest = new MaskingTable(changes.Count);
        foreach (var change in changes)
            newest.Put(Known(change));
        var count = Count;
        foreach (var change in newest.All())
            count += (change.EndsAtMs != 0 ? 1 : 0) - (EndsAt(change.Patient, change.Cvr) != 0 ? 1 : 0);

        if (newest.Count + _recent.Count <= _sizes.Recent)
            return new MaskingIndex(_sizes, Pour(newest, _recent), _middle, _settled, count);
        newest = Pour(newest, _recent);
        if (newest.Count + _middle.Count <= _sizes.Middle)
            return new MaskingIndex(_sizes, MaskingTable.Empty, Pour(newest, _middle), _settled, count);
        newest = Pour(newest, _middle);
        var settled = new MaskingTable(newest.Count + _settled.Count);
        settled.PutAll(newest, MaskingTable.Empty, withEnded: false);
        settled.PutAll(_settled, newest, withEnded: false);
        return new MaskingIndex(_sizes, MaskingTable.Empty, MaskingTable.Empty, settled, count);
    }

    /// <summary>All maskings held, those too whose end has passed.</summary>
    public IEnumerable<PatientMasking> All()
    {
        foreach (var masking in _recent.All().Where(m => m.EndsAtMs != 0))
            yield return masking;
        foreach (var masking in _middle.All().Where(m => m.EndsAtMs != 0 && !_recent.TryFind(m.Patient, m.Cvr.Value, out _)))
            yield return masking;
        foreach (var masking in _settled.All())
        {
            if (!_recent.TryFind(masking.Patient, masking.Cvr.Value, out _) && !_middle.TryFind(masking.Patient, masking.Cvr.Value, out _))
                yield return masking;
        }
    }

    /// <summary>What differs in a later picture: its maskings that are new or have another end, and with an end of 0 those that are gone.</summary>
    public IEnumerable<PatientMasking> ChangesTo(MaskingIndex later) =>
        later.All().Where(m => EndsAt(m.Patient, m.Cvr) != m.EndsAtMs)
            .Concat(All().Where(m => later.EndsAt(m.Patient, m.Cvr) == 0).Select(m => m with { EndsAtMs = 0 }));

    private static MaskingTable Pour(MaskingTable newer, MaskingTable older)
    {
        if (older.Count == 0)
            return newer;
        var both = new MaskingTable(newer.Count + older.Count);
        both.PutAll(newer, MaskingTable.Empty, withEnded: true);
        both.PutAll(older, newer, withEnded: true);
        return both;
    }

    private static PatientMasking Known(PatientMasking masking) => masking.Cvr.Value != 0
        ? masking
        : throw new ArgumentException("A masking without an organisation cannot be kept.");

    /// <summary>Most entries of the two small tables.</summary>
    internal readonly record struct Sizes(int Recent, int Middle);

    /// <summary>The maskings in force for one patient.</summary>
    public readonly struct PatientMaskings(MaskingIndex index, PatientKey patient, long nowMs)
    {
        public Enumerator GetEnumerator() => new(index, patient, nowMs);

        /// <summary>True where at least one is in force.</summary>
        public bool Any() => GetEnumerator().MoveNext();
    }

    /// <summary>Walks the three tables, newest first; passes over what a newer one has replaced.</summary>
    public struct Enumerator(MaskingIndex index, PatientKey patient, long nowMs)
    {
        private int _table;
        private int _at = -1;

        public PatientMasking Current { get; private set; }

        public bool MoveNext()
        {
            for (; _table < 3; _table++, _at = -1)
            {
                var table = _table == 0 ? index._recent : _table == 1 ? index._middle : index._settled;
                while (table.Count != 0 && table.MoveNext(patient, ref _at, out var cvr, out var endsAtMs))
                {
                    if (endsAtMs <= nowMs || (_table > 0 && index._recent.TryFind(patient, cvr, out _))
                        || (_table > 1 && index._middle.TryFind(patient, cvr, out _)))
                        continue;
                    Current = new PatientMasking(patient, new CvrNumber(cvr), endsAtMs);
                    return true;
                }
            }
            return false;
        }
    }
}
