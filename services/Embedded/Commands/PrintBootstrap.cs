using System.Text.Json;

namespace Sloring.Embedded;

/// <summary><c>./run bootstrap FILE</c>: a bootstrap token of the demo's provider for the citizen in a file, alone on standard output, for curl.</summary>
public static class PrintBootstrap
{
    /// <summary>Prints it, or what is missing.</summary>
    /// <param name="parties">Whose provider signs.</param>
    /// <param name="file">{"cpr":"…","actsFor":["urn:…"]}; a file, so that no CPR number stands in a list of processes.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<int> Print(DemoParties parties, FileInfo file, CancellationToken cancel)
    {
        try
        {
            var citizen = JsonSerializer.Deserialize<DemoCitizen>(await File.ReadAllTextAsync(file.FullName, cancel), JsonSerializerOptions.Web);
            if (citizen is { Cpr.Length: > 0, ActsFor: not null })
            {
                Console.WriteLine(parties.Bootstrap(citizen));
                return 0;
            }
            await Console.Error.WriteLineAsync($"{file.FullName} names no citizen. See samples/citizen.json.");
        }
        catch (JsonException)
        {
            await Console.Error.WriteLineAsync($"{file.FullName} is no JSON object of texts. See samples/citizen.json.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            await Console.Error.WriteLineAsync(file.Exists ? "There is no demo provider yet. Start the platform first." : $"There is no file {file.FullName}. Try samples/citizen.json.");
        }
        return 1;
    }
}
