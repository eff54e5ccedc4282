using System.Diagnostics;

namespace Sloring.Bench;

/// <summary>One measured figure: a cost as a multiple of a yardstick measured beside it, and the multiple allowed.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Ratio">Cost over yardstick.</param>
/// <param name="Limit">The ratio that must not be passed.</param>
/// <param name="Detail">The two costs in absolute terms, on this machine.</param>
public sealed record Figure(string Name, double Ratio, double Limit, string Detail)
{
    /// <summary>Long enough for the JIT to have optimised both.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5);

    /// <summary>Runs the work and its yardstick by turns, A B A B, so that both meet the same weather; the median of the pairwise ratios counts.</summary>
    public static Figure Timed(string name, double limit, int operations, Action work, Action yardstick, int rounds = 101)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < WarmUp;)
        {
            work();
            yardstick();
        }
        var pairs = new (double Work, double Yardstick)[rounds];
        for (var i = 0; i < rounds; i++)
            pairs[i] = (Time(work), Time(yardstick));
        double Ns(double seconds) => seconds / operations * 1e9;
        return new Figure(name, Median(pairs.Select(p => p.Work / p.Yardstick)), limit,
            $"{Ns(Median(pairs.Select(p => p.Work))):F0} ns against {Ns(Median(pairs.Select(p => p.Yardstick))):F0} ns");
    }

    private static double Time(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
