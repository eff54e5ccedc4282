using Google.Protobuf;
using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary>Two data sources for the demo, which give the entries of samples/entries.jsonl to whoever may read logs (docs/log-sources.md).</summary>
internal static class DemoLogSources
{
    private const string Address = "/demo/log-sources/";

    /// <summary>Name, place below the address, and the sources of entries.jsonl that it gives.</summary>
    private static readonly (string Name, string Path, string[] Sources)[] All = [("EPJ", "epj", ["EPJ"]), ("FMK, laboratoriesvar og telemedicin", "national", ["FMK", "Laboratoriesvar", "Telemedicin"])];

    /// <summary>Settings with which the portal asks both.</summary>
    /// <param name="host">Address of this host.</param>
    public static IEnumerable<(string Key, string Value)> Settings(string host) => All.SelectMany((source, at) =>
        ((string, string)[])[($"Portal:LogSources:{at}:Name", source.Name), ($"Portal:LogSources:{at}:Address", host.TrimEnd('/') + Address + source.Path)]);

    public static void MapDemoLogSources(this WebApplication app)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "samples", "entries.jsonl");
        var entries = File.ReadLines(file).Select(JsonParser.Default.Parse<MaskEntriesRequest>)
            .SelectMany(line => line.Entries.Select(entry => (line.PatientCpr, Entry: entry))).ToLookup(line => line.PatientCpr, line => line.Entry);
        foreach (var (_, path, sources) in All)
            app.MapPost(Address + path, ([FromBody] Ask ask) =>
            {
                var patient = CprNumber.Parse(ask.PatientCpr).Digits;
                return Results.Text(
                    JsonFormatter.Default.Format(new MaskEntriesRequest { PatientCpr = patient, Entries = { entries[patient].Where(entry => sources.Contains(entry.Source)) } }), "application/json");
            }).RequireAuthorization(Operations.ReadDemoLog);
    }

    private sealed record Ask(string? PatientCpr);
}
