using System.Text.Json;

namespace Sloring.Sidecar;

/// <summary>Faults that can be switched on while it runs, in percent of what is published. daprd has none of these switches; it has the faults.</summary>
/// <param name="Drop">Answered as published and never sent: what daprd does when the broker refuses a message or dies before it confirms.</param>
/// <param name="Duplicate">Sent twice.</param>
/// <param name="Reorder">Answered at once, and sent up to a second later.</param>
internal sealed record FaultSwitches(double Drop = 0, double Duplicate = 0, double Reorder = 0);

/// <summary>The switches in the file of --faults, {"drop":1,"duplicate":5,"reorder":5}; read anew when it changes, all off where it is not there.</summary>
internal sealed class Faults(string? file)
{
    private readonly Lock _lock = new();
    private (DateTime Written, FaultSwitches Switches) _read = (default, new FaultSwitches());

    public FaultSwitches Now
    {
        get
        {
            if (file is null)
                return _read.Switches;
            lock (_lock)
            {
                var written = File.GetLastWriteTimeUtc(file);
                try
                {
                    if (written != _read.Written)
                        _read = (written, File.Exists(file) ? JsonSerializer.Deserialize<FaultSwitches>(File.ReadAllText(file), JsonSerializerOptions.Web)! : new FaultSwitches());
                }
                catch (Exception e) when (e is JsonException or IOException)
                {
                    // Half written: as before until it is whole.
                }
                return _read.Switches;
            }
        }
    }

    public static bool Hits(double percent) => percent > 0 && Random.Shared.NextDouble() * 100 < percent;
}
