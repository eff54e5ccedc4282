using Sloring.Contracts;

namespace Sloring.Client;

/// <summary>
/// Immutable once built: an open-addressed table of maskings, placed by patient alone, so that one patient's maskings lie in one short run.
/// A patient key is a keyed hash, so its high half is evenly spread already and is scaled to a slot without hashing again.
/// </summary>
internal sealed class MaskingTable
{
    public static readonly MaskingTable Empty = new(0);

    private readonly Slot[] _slots;

    /// <summary>Room for <paramref name="most"/> maskings at a load of at most 5/8: 51 bytes a masking, and a search ends after two slots on average.</summary>
    public MaskingTable(int most) => _slots = new Slot[(int)Math.Min(Array.MaxLength, ((long)most * 8 / 5) + 1)];

    /// <summary>Entries held, those that say "ended" too.</summary>
    public int Count { get; private set; }

    /// <summary>The end held for a patient and an organisation; 0 where this table says that it has ended.</summary>
    public bool TryFind(PatientKey patient, uint cvr, out long endsAtMs)
    {
        var slots = _slots;
        for (var i = Home(patient); ; i = Next(i))
        {
            ref readonly var slot = ref slots[i];
            if (slot.Cvr == cvr && slot.High == patient.High && slot.Low == patient.Low)
            {
                endsAtMs = slot.EndsAtMs;
                return true;
            }
            if (slot.Cvr == 0)
            {
                endsAtMs = 0;
                return false;
            }
        }
    }

    /// <summary>Steps to the patient's next masking; <paramref name="at"/> starts at -1.</summary>
    public bool MoveNext(PatientKey patient, ref int at, out uint cvr, out long endsAtMs)
    {
        for (var i = at < 0 ? Home(patient) : Next(at); ; i = Next(i))
        {
            ref readonly var slot = ref _slots[i];
            if (slot.Cvr == 0)
            {
                (cvr, endsAtMs) = (0, 0);
                return false;
            }
            if (slot.High == patient.High && slot.Low == patient.Low)
            {
                (at, cvr, endsAtMs) = (i, slot.Cvr, slot.EndsAtMs);
                return true;
            }
        }
    }

    /// <summary>Adds or replaces; only while the table is being built.</summary>
    public void Put(in PatientMasking masking)
    {
        ref var slot = ref SlotOf(masking.Patient, masking.Cvr.Value);
        if (slot.Cvr == 0)
        {
            Count++;
            slot = new Slot(masking.Patient.High, masking.Patient.Low, masking.EndsAtMs, masking.Cvr.Value);
        }
        else
        {
            slot.EndsAtMs = masking.EndsAtMs;
        }
    }

    /// <summary>Adds all entries that <paramref name="newer"/> says nothing about; only while the table is being built.</summary>
    /// <remarks>Both tables are in the order of the patient keys, nearly: memory is read and written forwards, which is what makes this fast.</remarks>
    public void PutAll(MaskingTable from, MaskingTable newer, bool withEnded)
    {
        foreach (ref readonly var slot in from._slots.AsSpan())
        {
            if (slot.Cvr != 0 && (withEnded || slot.EndsAtMs != 0) && !newer.TryFind(new PatientKey(slot.High, slot.Low), slot.Cvr, out _))
                Put(slot.ToMasking());
        }
    }

    /// <summary>All entries, those that say "ended" too.</summary>
    public IEnumerable<PatientMasking> All()
    {
        foreach (var slot in _slots)
        {
            if (slot.Cvr != 0)
                yield return slot.ToMasking();
        }
    }

    private int Home(PatientKey patient) => (int)Math.BigMul(patient.High, (ulong)_slots.Length, out _);

    private int Next(int i) => ++i == _slots.Length ? 0 : i;

    private ref Slot SlotOf(PatientKey patient, uint cvr)
    {
        for (var i = Home(patient); ; i = Next(i))
        {
            ref var slot = ref _slots[i];
            if (slot.Cvr == 0 || (slot.Cvr == cvr && slot.High == patient.High && slot.Low == patient.Low))
                return ref slot;
        }
    }

    /// <summary>32 bytes. No organisation has CVR 0: that is an empty slot.</summary>
    private struct Slot(ulong high, ulong low, long endsAtMs, uint cvr)
    {
        public ulong High = high;
        public ulong Low = low;
        public long EndsAtMs = endsAtMs;
        public uint Cvr = cvr;

        public readonly PatientMasking ToMasking() => new(new PatientKey(High, Low), new CvrNumber(Cvr), EndsAtMs);
    }
}
