using System.CommandLine;
using Sloring.Embedded;
using Spectre.Console;

// Colours are for people: what is piped or kept is plain.
AnsiConsole.Profile.Capabilities.Ansi &= !Console.IsOutputRedirected;

var root = new RootCommand("sloring-platform in one process. Settings may follow any command, for example: --Data:Folder=./other --Listen:Http=http://127.0.0.1:6080")
{
    TreatUnmatchedTokensAsErrors = false,
};
root.SetAction(async (parsed, cancel) =>
{
    if (parsed.UnmatchedTokens.FirstOrDefault(token => !token.StartsWith("--", StringComparison.Ordinal)) is not { } unknown)
        return await Serve.Run([.. parsed.UnmatchedTokens], cancel);
    await Console.Error.WriteLineAsync($"There is no command '{unknown}'. See ./run --help.");
    return 2;
});

Add("rotate-keys", "Bring the rows of the running platform under the current sealing key", RotateKeys.Run);
Add("demo", "Play the main job on the sample files; starts the platform if none is running", Demo.Run);

var kept = new Option<string?>("--checkpoints") { Description = "A file of checkpoints kept outside, made by the command checkpoints: a journal that was cut short shows by them" };
var verify = new Command("verify", "Verify every journal of the running platform") { kept };
verify.TreatUnmatchedTokensAsErrors = false;
verify.SetAction((parsed, cancel) => Verify.Run([.. parsed.UnmatchedTokens], parsed.GetValue(kept) is { } file ? FromCaller(file) : null, cancel));
root.Subcommands.Add(verify);

var keep = new Argument<string>("file") { Description = "Where they are kept, one a line; those that are new are added" };
var checkpoints = new Command("checkpoints", "Keep the signed checkpoints of every journal of the running platform") { keep };
checkpoints.TreatUnmatchedTokensAsErrors = false;
checkpoints.SetAction((parsed, cancel) => KeepCheckpoints.Run([.. parsed.UnmatchedTokens], FromCaller(parsed.GetRequiredValue(keep)), cancel));
root.Subcommands.Add(checkpoints);

var file = new Argument<string>("file") { Description = "JSON lines, each {\"patientCpr\":\"…\",\"entries\":[…]}; see samples/entries.jsonl" };
var output = new Option<string?>("--output", "-o") { Description = "Where the masked lines go; standard output when left out" };
var mask = new Command("mask", "Mask a file of entries with the picture of the running platform") { file, output };
mask.TreatUnmatchedTokensAsErrors = false;
mask.SetAction((parsed, cancel) => MaskFile.Run([.. parsed.UnmatchedTokens], FromCaller(parsed.GetRequiredValue(file)), parsed.GetValue(output) is { } to ? FromCaller(to) : null, cancel));
root.Subcommands.Add(mask);

var client = new Argument<string>("client") { Description = "A demo client, for example sygeplejerske, leder or borgervisning" };
var token = new Command("token", "Print an access token of a demo client of the running platform") { client };
token.TreatUnmatchedTokensAsErrors = false;
token.SetAction((parsed, cancel) => PrintToken.Run([.. parsed.UnmatchedTokens], parsed.GetRequiredValue(client), cancel));
root.Subcommands.Add(token);

var soapClient = new Argument<string>("client") { Description = "A client of Soap:Clients, for example soap-epj-hovedstaden" };
var body = new Argument<string>("file") { Description = "The body, for example samples/soap/create-blurring.xml" };
var envelope = new Command("envelope", "Print a SOAP envelope with a ticket of the demo issuer") { soapClient, body };
envelope.TreatUnmatchedTokensAsErrors = false;
envelope.SetAction((parsed, cancel) =>
    PrintEnvelope.Run([.. parsed.UnmatchedTokens], parsed.GetRequiredValue(soapClient), FromCaller(parsed.GetRequiredValue(body)), cancel));
root.Subcommands.Add(envelope);

Add("assertion", "Print a client assertion of the demo client borgerapp, signed by its own key (private_key_jwt)", PrintToken.Assertion);

var citizen = new Argument<string>("file") { Description = "The citizen, for example samples/citizen.json" };
var bootstrap = new Command("bootstrap", "Print a bootstrap token of the demo's provider for a citizen") { citizen };
bootstrap.TreatUnmatchedTokensAsErrors = false;
bootstrap.SetAction((parsed, cancel) =>
    PrintBootstrap.Print(new DemoParties(EmbeddedHost.Settings([.. parsed.UnmatchedTokens])["Data:Folder"]!), FromCaller(parsed.GetRequiredValue(citizen)), cancel));
root.Subcommands.Add(bootstrap);

return await root.Parse(args).InvokeAsync();

// ./run changes to the repository's folder; a path is meant from where it was typed.
static FileInfo FromCaller(string path) => new(Path.GetFullPath(path, Environment.GetEnvironmentVariable("SLORING_CALLED_FROM") ?? Environment.CurrentDirectory));

void Add(string name, string description, Func<string[], CancellationToken, Task<int>> run)
{
    var command = new Command(name, description) { TreatUnmatchedTokensAsErrors = false };
    command.SetAction((parsed, cancel) => run([.. parsed.UnmatchedTokens], cancel));
    root.Subcommands.Add(command);
}
