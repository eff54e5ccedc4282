using System.Collections.Frozen;
using Sloring.Contracts;

namespace Sloring.Client;

/// <summary>One department masking as a feed tells it (rules D1, D4).</summary>
/// <param name="Id">Id of the department masking.</param>
/// <param name="Cvr">The organisation.</param>
/// <param name="SorIds">All SOR ids covered: the unit and its children.</param>
/// <param name="ShakPrefix">Every SHAK code that begins with it is covered; empty where there is none.</param>
public sealed record UnitMasking(string Id, CvrNumber Cvr, IReadOnlyList<string> SorIds, string ShakPrefix);

/// <summary>The department maskings in force, towards every citizen. Immutable; made anew by each of its rare changes.</summary>
public sealed class MaskedUnits
{
    private readonly FrozenDictionary<string, UnitMasking> _units;
    private readonly FrozenSet<string> _sorIds;
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _shakPrefixes;
    private readonly int[] _prefixLengths;
    private readonly FrozenDictionary<CvrNumber, Undecidable> _undecidable;
    private readonly Undecidable _undecidableAnywhere;

    private MaskedUnits(IEnumerable<UnitMasking> units)
    {
        _units = units.ToFrozenDictionary(u => u.Id);
        _sorIds = _units.Values.SelectMany(u => u.SorIds).ToFrozenSet(StringComparer.Ordinal);
        var prefixes = _units.Values.Select(u => u.ShakPrefix).Where(p => p.Length > 0).ToFrozenSet(StringComparer.Ordinal);
        _shakPrefixes = prefixes.GetAlternateLookup<ReadOnlySpan<char>>();
        _prefixLengths = [.. prefixes.Select(p => p.Length).Distinct().Order()];
        _undecidable = _units.Values.GroupBy(u => u.Cvr).ToFrozenDictionary(g => g.Key, g => g.Aggregate(Undecidable.Never, (sum, u) => sum | Of(u)));
        _undecidableAnywhere = _undecidable.Values.Aggregate(Undecidable.Never, (sum, one) => sum | one);
    }

    /// <summary>No unit is masked.</summary>
    public static MaskedUnits None { get; } = new([]);

    /// <summary>Department maskings in force.</summary>
    public int Count => _units.Count;

    /// <summary>All of them.</summary>
    public IReadOnlyList<UnitMasking> All => _units.Values;

    /// <summary>A whole snapshot.</summary>
    public static MaskedUnits FromSnapshot(IEnumerable<UnitMasking> units) => new(units.GroupBy(u => u.Id).Select(same => same.Last()));

    /// <summary>With one more, or with one replaced.</summary>
    public MaskedUnits With(UnitMasking unit) => new(_units.Values.Where(u => u.Id != unit.Id).Append(unit));

    /// <summary>Without one that has been removed.</summary>
    public MaskedUnits Without(string id) => _units.ContainsKey(id) ? new(_units.Values.Where(u => u.Id != id)) : this;

    /// <summary>The department masking of an id; null where it is not in force.</summary>
    public UnitMasking? Find(string id) => _units.GetValueOrDefault(id);

    /// <summary>True where the unit, by either of its ids, is covered (rule D4: SOR ids come expanded, SHAK goes by prefix).</summary>
    public bool Covers(string sorId, string shak) => Count != 0 && (_sorIds.Contains(sorId) || CoversShak(shak));

    /// <summary>
    /// True where a unit of the organisation could be the entry's, though <see cref="Covers"/> cannot tell: the entry lacks a usable id of the
    /// kind by which that unit is masked (rule E5).
    /// </summary>
    public bool MayCover(CvrNumber cvr, string sorId, string shak) =>
        Count != 0 && _undecidable.TryGetValue(cvr, out var when) && IsUndecidable(when, sorId, shak);

    /// <summary>The same for an entry that lacks the organisation too.</summary>
    public bool MayCover(string sorId, string shak) => Count != 0 && IsUndecidable(_undecidableAnywhere, sorId, shak);

    private static bool IsUndecidable(Undecidable when, string sorId, string shak) => (SorId.IsValid(sorId), ShakCode.IsValid(shak)) switch
    {
        (true, true) => false,
        (true, false) => when.HasFlag(Undecidable.WithoutShak),
        (false, true) => when.HasFlag(Undecidable.WithoutSor),
        (false, false) => when != Undecidable.Never,
    };

    private static Undecidable Of(UnitMasking unit) =>
        Undecidable.WithoutBoth
        | (unit.ShakPrefix.Length == 0 ? Undecidable.WithoutSor : 0)
        | (unit.SorIds.Count == 0 ? Undecidable.WithoutShak : 0);

    private bool CoversShak(ReadOnlySpan<char> shak)
    {
        foreach (var length in _prefixLengths)
        {
            if (length > shak.Length)
                return false;
            if (_shakPrefixes.Contains(shak[..length]))
                return true;
        }
        return false;
    }

    /// <summary>Which ids an entry must lack so that some unit of an organisation cannot be told from it.</summary>
    [Flags]
    private enum Undecidable
    {
        Never = 0,
        WithoutSor = 1,
        WithoutShak = 2,
        WithoutBoth = 4,
    }
}
