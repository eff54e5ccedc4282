using System.CommandLine;
using Sloring.Cluster;
using Sloring.Cluster.Commands;
using Spectre.Console;

// Colours are for people: what is piped or kept is plain.
AnsiConsole.Profile.Capabilities.Ansi &= !Console.IsOutputRedirected;

var offset = new Option<int>("--offset") { Description = "Added to every port, for a second cluster on this machine; 0 to 60000, in hundreds", Recursive = true };
offset.Validators.Add(given =>
{
    var ports = given.GetValueOrDefault<int>();
    if (ports is < 0 or > 60_000 || ports % 100 != 0)
        given.AddError("--offset is added to every port: give 0, 100, 200 … up to 60000.");
});
var folder = new Option<string>("--folder") { Description = "Where data, logs and secrets lie", DefaultValueFactory = _ => Path.Combine(".data", "cluster"), Recursive = true };
var root = new RootCommand("sloring-platform in several processes, with PostgreSQL, RabbitMQ and a sidecar each") { offset, folder };
root.SetAction((parsed, cancel) => Serve.Run(Options(parsed), cancel));

var demo = new Command("demo", "Play the main job over AMQP; starts a cluster if none is running");
demo.SetAction((parsed, cancel) => Demo.Run(Options(parsed), cancel));
root.Subcommands.Add(demo);

var client = new Argument<string>("client") { Description = "A demo client, for example leder or borgervisning" };
var token = new Command("token", "Print an access token of a demo client of the running cluster") { client };
token.SetAction((parsed, cancel) => PrintToken.Run(Options(parsed), parsed.GetRequiredValue(client), cancel));
root.Subcommands.Add(token);

// Long enough for every process to end by itself; what is left after that ends with this one.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(60) });

LocalClusterOptions Options(ParseResult parsed) => new()
{
    // ./run changes to the repository's folder first.
    Root = Environment.CurrentDirectory,
    Folder = Path.GetFullPath(parsed.GetValue(folder)!),
    Offset = parsed.GetValue(offset),
};
