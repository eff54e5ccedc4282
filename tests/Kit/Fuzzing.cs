using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sloring.Tests;

/// <summary>
/// Random and mutated input against what reads it: how many cases there are, from which seed, and what a failure says. A case is a function of seed and number alone.
/// SLORING_FUZZ_CASES sets how many (20,000; <c>./test Fuzz</c> asks for a million), SLORING_FUZZ_SEED asks for those of an earlier run, and SLORING_FUZZ_CASE for one of them alone.
/// </summary>
public sealed class Fuzzing
{
    private const int Usual = 20_000;

    private static readonly Lock Writing = new();

    /// <summary>A case that takes longer hangs.</summary>
    private static readonly TimeSpan LongestCase = TimeSpan.FromSeconds(30);

    private static readonly JsonSerializerOptions Showing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, IncludeFields = true };

    private Fuzzing(int seed, int cases) => (Seed, Cases) = (seed, cases);

    /// <summary>Where test, seed and number of cases of each run are kept.</summary>
    public static string Seeds { get; } = Path.Combine(Repository.Root, ".build", "fuzz-seeds.txt");

    public int Seed { get; }

    /// <summary>How many there are.</summary>
    public int Cases { get; }

    /// <summary>One of them is asked for alone: what only many show is not looked for.</summary>
    public static bool IsAlone => Alone > 0;

    private static int Alone => Number("SLORING_FUZZ_CASE", 0);

    /// <summary>Begins, and tells the seed.</summary>
    /// <param name="tell">The test's output.</param>
    /// <param name="share">One in so many: of what goes over a wire there are fewer.</param>
    /// <param name="test">Which test it is, where another method begins for it.</param>
    /// <param name="file">Its file.</param>
    public static Fuzzing Begin(Action<string> tell, int share = 1, [CallerMemberName] string test = "", [CallerFilePath] string file = "")
    {
        var fuzzing = new Fuzzing(Number("SLORING_FUZZ_SEED", Random.Shared.Next()), Number("SLORING_FUZZ_CASES", Usual) / share);
        var begun = $"SLORING_FUZZ_SEED={fuzzing.Seed} SLORING_FUZZ_CASES={fuzzing.Cases * share}";
        tell(begun);
        Keep($"{DateTimeOffset.UtcNow:u} {Path.GetFileNameWithoutExtension(file)}.{test} {begun}");
        return fuzzing;
    }

    /// <summary>Before the first case: what ends the process leaves no results, and its seed is here (<c>.build/fuzz-seeds.txt</c>, which is added to and never taken away).</summary>
    private static void Keep(string line)
    {
        lock (Writing)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Seeds)!);
            File.AppendAllText(Seeds, line + "\n");
        }
    }

    /// <summary>Makes each case and has it read; a failure names the case and shows what was read.</summary>
    /// <exception cref="FuzzException">Reading one threw, or took too long.</exception>
    public Task Each<T>(Func<Random, T> make, Action<T> read) => Each(1, random =>
    {
        var input = make(random);
        try
        {
            read(input);
        }
        catch (Exception e)
        {
            throw new FuzzException($"{e.Message}\nInput: {Shown(input)}", e);
        }
        return Task.CompletedTask;
    });

    /// <summary>Does all cases, some at a time.</summary>
    /// <exception cref="FuzzException">One threw, or took too long.</exception>
    public Task Each(int workers, Func<Random, Task> one)
    {
        var (next, last) = IsAlone ? (Alone - 1, Alone) : (0, Cases);
        return Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            using var watch = new CancellationTokenSource();
            var (number, began) = (0, Stopwatch.GetTimestamp());
            var doing = Task.Run(async () =>
            {
                while (Interlocked.Increment(ref next) is var mine && mine <= last)
                {
                    (number, began) = (mine, Stopwatch.GetTimestamp());
                    try
                    {
                        await one(new Random(unchecked((Seed * 16_777_619) ^ (mine * 65_537))));
                    }
                    catch (Exception e)
                    {
                        throw new FuzzException($"SLORING_FUZZ_SEED={Seed} SLORING_FUZZ_CASE={mine}: {e.Message}", e);
                    }
                }
            });
            using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1));
            while (await Task.WhenAny(doing, tick.WaitForNextTickAsync().AsTask()) != doing)
            {
                if (Stopwatch.GetElapsedTime(began) > LongestCase)
                    throw new FuzzException($"SLORING_FUZZ_SEED={Seed} SLORING_FUZZ_CASE={number} takes more than {LongestCase.TotalSeconds} s.", null);
            }
            await doing;
        })));
    }

    private static string Shown<T>(T input) => JsonSerializer.Serialize(input, Showing);

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}

/// <summary>What was done, and what came of it.</summary>
public sealed class FuzzException(string message, Exception? inner) : Exception(message, inner);
