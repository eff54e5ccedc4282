using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Effectuation;

/// <summary>How fresh this replica's picture is, and how good the sources' data (rules E5, E7).</summary>
public sealed class GetEffectuationStatus(WatchPicture watch, MaskEntries maskEntries)
{
    public EffectuationStatus Handle()
    {
        var (picture, held) = (watch.Watcher.Current, watch.Held);
        return new EffectuationStatus
        {
            Maskings = picture?.Index.Count ?? 0,
            Units = picture?.Units.Count ?? 0,
            Position = held.Position,
            StalenessSeconds = held.StalenessSeconds,
            Fresh = held.Fresh,
            FindingsBySource = { maskEntries.FindingsBySource.ToDictionary() },
        };
    }
}
