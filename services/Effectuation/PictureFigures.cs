using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>How fresh this replica's picture is (rule E7), at the instant of being asked.</summary>
internal sealed class PictureFigures(WatchPicture watch) : IFigures
{
    public Task Look(CancellationToken cancel) => Task.CompletedTask;

    public IEnumerable<Figure> Now()
    {
        yield return new Figure(Metrics.Staleness, watch.Held.StalenessSeconds);
        if (watch.Watcher.Current is not { } picture)
            yield break;
        yield return new Figure(Metrics.PicturePosition, picture.Position);
        yield return new Figure(Metrics.Maskings, picture.Index.Count);
    }
}
