using System.Runtime.CompilerServices;
using Sloring.Client;
using Sloring.Contracts;

namespace Sloring.Bench;

/// <summary>What the index of maskings costs at a million in force, beside a plain <see cref="Dictionary{TKey, TValue}"/> of that size.</summary>
public static class IndexFigures
{
    private const int InForce = 1_000_000;
    private const int Lookups = 100_000;
    private const int Changes = 10_000;
    private const long BytesAllowed = 64;

    public static IEnumerable<Figure> Measure()
    {
        var random = new Random(1);
        var maskings = new PatientMasking[InForce];
        for (var i = 0; i < maskings.Length; i++)
            maskings[i] = Some(random, i + 1);

        var (index, held) = HeldBy(() => MaskingIndex.FromSnapshot(maskings));
        yield return new Figure("memory of the index / 64 bytes a masking", (double)held / InForce / BytesAllowed, 1, $"{(double)held / InForce:F1} bytes a masking");

        var dictionary = maskings.ToDictionary(m => m.Patient.Low, m => m.EndsAtMs);
        var asked = Enumerable.Range(0, Lookups).Select(_ => maskings[random.Next(InForce)]).ToArray();
        var unknown = Enumerable.Range(0, Lookups).Select(_ => Some(random, 1)).ToArray();
        yield return Lookup("look up a masking / Dictionary<ulong, long>", index, asked);
        yield return Lookup("look up a patient without one / Dictionary<ulong, long>", index, unknown);

        // As it is in use: all three tables hold something.
        var used = index;
        for (var i = 0; i < 5_000; i++)
            used = used.With([maskings[i] with { EndsAtMs = i % 2 }]);
        yield return Lookup("look up a masking after 5,000 changes / Dictionary<ulong, long>", used, asked);

        var changes = Enumerable.Range(0, Changes).Select(i => new[] { Some(random, i + 1) }).ToArray();
        var change = Figure.Timed("apply a change / copy everything", 0.01, 1, () =>
        {
            var changed = index;
            foreach (var one in changes)
                changed = changed.With(one);
        }, () => maskings.Clone(), rounds: 7);
        yield return change with { Ratio = change.Ratio / Changes, Detail = $"{Changes:N0} changes, one after the other: {change.Detail}" };

        Figure Lookup(string name, MaskingIndex of, PatientMasking[] some) => Figure.Timed(name, 3, Lookups, () => Find(of, some), () => Find(dictionary, some));
    }

    private static PatientMasking Some(Random random, long endsAtMs) =>
        new(new PatientKey((ulong)random.NextInt64() << 1, (ulong)random.NextInt64()), new CvrNumber(33257872), endsAtMs);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Find(MaskingIndex index, PatientMasking[] asked)
    {
        var found = 0;
        foreach (var masking in asked)
            found += index.IsMasked(masking.Patient, masking.Cvr, 0) ? 1 : 0;
        return found;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Find(Dictionary<ulong, long> dictionary, PatientMasking[] asked)
    {
        var found = 0;
        foreach (var masking in asked)
            found += dictionary.TryGetValue(masking.Patient.Low, out var endsAtMs) && endsAtMs > 0 ? 1 : 0;
        return found;
    }

    private static (T Result, long Bytes) HeldBy<T>(Func<T> make)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var result = make();
        return (result, GC.GetTotalMemory(forceFullCollection: true) - before);
    }
}
