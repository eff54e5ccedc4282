using System.Globalization;
using Sloring.Bench;

// What a cluster is sized by, which is no ratio: capacity, and after it how many maskings the largest picture has.
if (args is ["capacity", .. { Length: <= 1 } largest])
{
    if (!int.TryParse(largest.FirstOrDefault("1000000"), NumberStyles.None, CultureInfo.InvariantCulture, out var maskings) || maskings < 100)
    {
        Console.Error.WriteLine("Give capacity the number of maskings in the largest picture, 100 or more.");
        return 2;
    }
    await CapacityFigures.Print(maskings);
    return 0;
}

// All figures, or those whose group is named: masking, index, effect, deadlines, postgres, edge, worklist, cluster, host.
(string Group, Func<IEnumerable<Figure>> Measure)[] groups =
[
    ("masking", MaskingFigures.Measure),
    ("index", IndexFigures.Measure),
    ("effect", EffectFigures.Measure),
    ("deadlines", DeadlineFigures.Measure),
    ("postgres", PostgresFigures.Measure),
    ("edge", EdgeFigures.Measure),
    ("worklist", WorkListFigures.Measure),
    ("cluster", ClusterFigures.Measure),
    ("host", HostFigures.Measure),
];
var unknown = args.Except(groups.Select(group => group.Group)).ToList();
if (unknown.Count > 0)
{
    Console.Error.WriteLine($"There is no group '{unknown[0]}'. There are: {string.Join(", ", groups.Select(group => group.Group))}.");
    return 2;
}

var over = 0;
Console.WriteLine("| figure | measured | limit | in absolute terms, on this machine |");
Console.WriteLine("|---|---|---|---|");
foreach (var (group, measure) in groups.Where(group => args.Length == 0 || args.Contains(group.Group)))
{
    Console.Error.WriteLine($"measuring {group} …");
    foreach (var figure in measure())
    {
        over += figure.Ratio > figure.Limit ? 1 : 0;
        Console.WriteLine(FormattableString.Invariant($"| {figure.Name} | {figure.Ratio:0.##} × | ≤ {figure.Limit:0.##} ×{(figure.Ratio > figure.Limit ? " **over**" : "")} | {figure.Detail} |"));
    }
}
return over == 0 ? 0 : 1;
