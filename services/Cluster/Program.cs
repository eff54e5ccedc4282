using System.CommandLine;
using Sloring.Cluster;
using Sloring.Cluster.Commands;
using Sloring.Embedded;
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

var secrets = new Command("secrets", "Print the Secrets that deploy/k8s names, made at first use and the same from then on, for: kubectl apply -f -");
secrets.SetAction(parsed => Console.WriteLine(KubernetesSecrets.Of(Options(parsed))));
root.Subcommands.Add(secrets);

var client = new Argument<string>("client") { Description = "A demo client, for example leder or borgervisning" };
var token = new Command("token", "Print an access token of a demo client of the running cluster") { client };
token.SetAction((parsed, cancel) => Running.Print(Options(parsed), platform => platform.Token(parsed.GetRequiredValue(client), cancel)));
root.Subcommands.Add(token);

var assertion = new Command("assertion", "Print a client assertion of the demo client borgerapp, signed by its own key (private_key_jwt)");
assertion.SetAction((parsed, cancel) => Running.Print(Options(parsed), platform => platform.Assertion(cancel)));
root.Subcommands.Add(assertion);

var citizen = new Argument<string>("file") { Description = "The citizen, for example samples/citizen.json" };
var bootstrap = new Command("bootstrap", "Print a bootstrap token of the demo's provider for a citizen") { citizen };
bootstrap.SetAction((parsed, cancel) => PrintBootstrap.Print(LocalCluster.Describe(Options(parsed)).Parties, FromCaller(parsed.GetRequiredValue(citizen)), cancel));
root.Subcommands.Add(bootstrap);

var soapClient = new Argument<string>("client") { Description = "A client of Soap:Clients, for example soap-epj-hovedstaden" };
var body = new Argument<string>("file") { Description = "The body, for example samples/soap/create-blurring.xml" };
var envelope = new Command("envelope", "Print a SOAP envelope with a ticket of the demo issuer") { soapClient, body };
envelope.SetAction((parsed, cancel) => PrintEnvelope.Print(
    LocalCluster.DemoClients(Options(parsed).Root), LocalCluster.Describe(Options(parsed)).Parties, parsed.GetRequiredValue(soapClient), FromCaller(parsed.GetRequiredValue(body)), cancel));
root.Subcommands.Add(envelope);

var kept = new Option<string?>("--checkpoints") { Description = "A file of checkpoints kept outside, made by the command checkpoints: a journal that was cut short shows by them" };
var verify = new Command("verify", "Verify every journal of the running cluster") { kept };
verify.SetAction((parsed, cancel) => Running.Use(Options(parsed), async at =>
{
    var file = parsed.GetValue(kept) is { } path ? FromCaller(path) : null;
    return !await Verify.IsMissing(file) && await Verify.Print(at, file, cancel) ? 0 : 1;
}));
root.Subcommands.Add(verify);

var keep = new Argument<string>("file") { Description = "Where they are kept, one a line; those that are new are added" };
var checkpoints = new Command("checkpoints", "Keep the signed checkpoints of every journal of the running cluster") { keep };
checkpoints.SetAction((parsed, cancel) => Running.Use(Options(parsed), async at =>
{
    var file = FromCaller(parsed.GetRequiredValue(keep));
    Console.WriteLine($"{await KeepCheckpoints.Add(at, file, cancel)} checkpoints added to {file.FullName}.");
    return 0;
}));
root.Subcommands.Add(checkpoints);

var rotate = new Command("rotate-keys", "Bring the rows of the running cluster under the current sealing key");
rotate.SetAction((parsed, cancel) => Running.Use(Options(parsed), async at => await RotateKeys.Rotate(at, cancel) ? 0 : 1));
root.Subcommands.Add(rotate);

// Long enough for every process to end by itself; what is left after that ends with this one.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(60) });

// ./run changes to the repository's folder; a path is meant from where it was typed.
static FileInfo FromCaller(string path) => new(Path.GetFullPath(path, Environment.GetEnvironmentVariable("SLORING_CALLED_FROM") ?? Environment.CurrentDirectory));

LocalClusterOptions Options(ParseResult parsed) => new()
{
    // ./run changes to the repository's folder first.
    Root = Environment.CurrentDirectory,
    Folder = Path.GetFullPath(parsed.GetValue(folder)!),
    Offset = parsed.GetValue(offset),
};
