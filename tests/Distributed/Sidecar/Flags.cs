using System.Globalization;

namespace Sloring.Sidecar;

/// <summary>The start cannot go on; the message says why.</summary>
internal sealed class StartException(string message) : Exception(message);

/// <summary>The command line: daprd's names, and two of the stand-in's own.</summary>
internal sealed record Flags(
    string AppId, int AppPort, int HttpPort, int GrpcPort, int InternalPort, string Resources, string? Config, string? Names, string? Faults, TimeSpan Block, TimeSpan Grace)
{
    /// <summary>Known to daprd and without a meaning here.</summary>
    private static readonly HashSet<string> Ignored = ["metrics-port", "enable-metrics", "log-level", "log-as-json", "dapr-listen-addresses", "mode", "placement-host-address", "scheduler-host-address"];

    public static Flags Parse(string[] args)
    {
        var given = new Dictionary<string, string>();
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith('-'))
                throw new StartException($"'{args[i]}' is not a flag.");
            var (name, value) = args[i].TrimStart('-').Split('=', 2) is [var left, var right] ? (left, right)
                : i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? (args[i].TrimStart('-'), args[++i]) : (args[i].TrimStart('-'), "true");
            given[name] = value;
        }
        string? Text(string name) => given.Remove(name, out var value) ? value : null;
        int Port(string name, int otherwise) => Text(name) is not { } text ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : throw new StartException($"--{name} must be a port.");
        var flags = new Flags(
            Text("app-id") ?? throw new StartException("Set --app-id."), Port("app-port", 0), Port("dapr-http-port", 3500), Port("dapr-grpc-port", 50001),
            Port("dapr-internal-grpc-port", 50002), Text("resources-path") ?? Text("components-path") ?? throw new StartException("Set --resources-path."), Text("config"),
            Text("names"), Text("faults"), Text("dapr-block-shutdown-duration") is { } block ? Duration(block) : TimeSpan.Zero, TimeSpan.FromSeconds(Port("dapr-graceful-shutdown-seconds", 5)));
        if ((Text("app-protocol") ?? "http") != "h2c")
            throw new StartException("The stand-in speaks to its app by --app-protocol h2c only.");
        var unknown = given.Keys.Except(Ignored).ToList();
        static TimeSpan Duration(string text) => text is [.. var number, 's'] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds) : throw new StartException("--dapr-block-shutdown-duration must be seconds here, for example 30s.");
        return unknown.Count == 0 ? flags : throw new StartException($"The stand-in does not know --{string.Join(", --", unknown)}.");
    }
}
