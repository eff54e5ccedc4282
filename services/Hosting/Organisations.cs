using System.Collections.Frozen;
using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Where the organisation register comes from.</summary>
public sealed class OrganisationOptions
{
    /// <summary>Path of a CSV file, UTF-8, with the columns sor_id;name;level;parent_sor_id;cvr;shak.</summary>
    public string File { get; set; } = "";
}

/// <summary>A unit of the register.</summary>
/// <param name="SorId">SOR id.</param>
/// <param name="Name">Name.</param>
/// <param name="Level">"region", "hospital", "department" or "section".</param>
/// <param name="ParentSorId">The unit above; null at the top.</param>
/// <param name="Cvr">The organisation.</param>
/// <param name="Shak">SHAK code; null where it has none.</param>
public sealed record OrgUnit(string SorId, string Name, string Level, string? ParentSorId, CvrNumber Cvr, string? Shak);

/// <summary>The register of organisational units (SOR hierarchy, SHAK codes), read once from a file.</summary>
public sealed class Organisations
{
    private readonly FrozenDictionary<string, OrgUnit> _bySor;
    private readonly FrozenDictionary<string, OrgUnit> _byShak;
    private readonly ILookup<string, OrgUnit> _children;

    public Organisations(IOptions<OrganisationOptions> options)
        : this(System.IO.File.ReadLines(options.Value.File).Skip(1).Where(line => line.Length > 0).Select(Parse))
    {
    }

    /// <summary>A register of given units.</summary>
    public Organisations(IEnumerable<OrgUnit> units)
    {
        var all = units.ToList();
        if (all.Select(unit => unit.SorId).Concat(all.Select(unit => unit.Shak).OfType<string>()).GroupBy(id => id).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new InvalidOperationException($"{twice.Key} stands twice in the organisation register (Organisations:File). Give each unit a line, a SOR id and a SHAK code of its own.");
        _bySor = all.ToFrozenDictionary(unit => unit.SorId);
        _byShak = all.Where(unit => unit.Shak is not null).ToFrozenDictionary(unit => unit.Shak!);
        _children = all.Where(unit => unit.ParentSorId is not null).ToLookup(unit => unit.ParentSorId!);
        // Whoever asked for its level would never be answered.
        if (all.Find(unit => SelfAndAbove(unit).Skip(all.Count).Any()) is { } circular)
            throw new InvalidOperationException($"Unit {circular.SorId} of the organisation register (Organisations:File) stands above itself. Correct its parent_sor_id.");
    }

    /// <summary>All units.</summary>
    public IEnumerable<OrgUnit> All => _bySor.Values;

    public OrgUnit? Find(string? sorId) => sorId is not null && _bySor.TryGetValue(sorId, out var unit) ? unit : null;

    public OrgUnit? FindShak(string? shak) => shak is not null && _byShak.TryGetValue(shak, out var unit) ? unit : null;

    /// <summary>The topmost unit of an organisation.</summary>
    public OrgUnit? Top(CvrNumber cvr) => _bySor.Values.Where(unit => unit.Cvr == cvr && unit.ParentSorId is null).MinBy(unit => unit.SorId, StringComparer.Ordinal);

    /// <summary>The unit above; null at the top.</summary>
    public OrgUnit? Above(OrgUnit unit) => Find(unit.ParentSorId);

    /// <summary>The unit itself or the nearest above it that has a level; null where there is none.</summary>
    public OrgUnit? AtLevel(OrgUnit unit, string level) => SelfAndAbove(unit).FirstOrDefault(u => u.Level == level);

    /// <summary>The unit, then each above it.</summary>
    public IEnumerable<OrgUnit> SelfAndAbove(OrgUnit unit)
    {
        for (var at = unit; at is not null; at = Above(at))
            yield return at;
    }

    /// <summary>The unit and all below it (rule D4).</summary>
    public IEnumerable<OrgUnit> SelfAndChildren(string sorId)
    {
        if (Find(sorId) is not { } unit)
            yield break;
        yield return unit;
        foreach (var child in _children[sorId])
            foreach (var below in SelfAndChildren(child.SorId))
                yield return below;
    }

    private static OrgUnit Parse(string line, int index)
    {
        var columns = line.Split(';');
        if (columns.Length < 6 || !SorId.IsValid(columns[0]) || !CvrNumber.TryParse(columns[4], out var cvr))
            throw new InvalidOperationException(
                $"Line {index + 2} of the organisation register (Organisations:File) is wrong: sor_id;name;level;parent_sor_id;cvr;shak with right check digits.");
        return new OrgUnit(columns[0], columns[1], columns[2], columns[3].Length > 0 ? columns[3] : null, cvr, columns[5].Length > 0 ? columns[5] : null);
    }
}
