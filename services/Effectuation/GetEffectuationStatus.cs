using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Effectuation;

/// <summary>How fresh this replica's picture is, and how good the sources' data (rules E5, E7).</summary>
public sealed class GetEffectuationStatus(WatchPicture watch, MaskEntries maskEntries)
{
    public EffectuationStatus Handle()
    {
        var picture = watch.Watcher.Current;
        return new EffectuationStatus
        {
            Maskings = picture?.Index.Count ?? 0,
            Units = picture?.Units.Count ?? 0,
            Position = picture?.Position ?? 0,
            StalenessSeconds = Math.Min(watch.Watcher.Staleness.TotalSeconds, 1e9),
            Fresh = watch.Watcher.IsFresh,
            FindingsBySource = { maskEntries.FindingsBySource.ToDictionary() },
        };
    }
}
