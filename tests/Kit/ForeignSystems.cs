using System.Text.Json;
using System.Text.Json.Nodes;
using Sloring.Embedded;

namespace Sloring.Tests;

/// <summary>
/// Systems that nobody here wrote, one process a call: an EPJ and a token service on the national wire (node's soap, with tickets that xml-crypto signs), and an
/// app with its data source (jose). They hold the keys of a platform's demo parties.
/// </summary>
public sealed class ForeignSystems(DemoParties parties)
{
    private static readonly string Soap = Path.Combine(Repository.Root, "tests", "Interop", "js-soap");
    private static readonly string Tokens = Path.Combine(Repository.Root, "tests", "Flow", "js-tokens");

    /// <summary>Completes when their packages are there.</summary>
    public static async Task Install()
    {
        await ForeignProgram.Install(Soap);
        await ForeignProgram.Install(Tokens);
    }

    /// <summary>A call of the national wire; gives the answer's body.</summary>
    /// <param name="address">Of the service.</param>
    /// <param name="path">Of the interface.</param>
    /// <param name="operation">For example CreateBlurring.</param>
    /// <param name="client">epj, sts or national: wire.mjs.</param>
    /// <param name="body">Of the request.</param>
    /// <param name="person">CPR number of the health professional who calls; null for the system.</param>
    public async Task<JsonNode?> Call(string address, string path, string operation, string client, object body, string? person = null) =>
        await Run(Path.Combine(Soap, "call.mjs"), new
        {
            address,
            path,
            operation,
            @as = client,
            body,
            person,
            key = Key(parties.Issuer.File),
            certificate = Certificate(parties.Issuer.File),
            now = parties.Now.ToUnixTimeMilliseconds(),
        });

    /// <summary>The app exchanges a citizen's token; the data source opens the identity token and masks its own entries by it. Gives {"claims","entries"}.</summary>
    public async Task<JsonNode> MaskByIdentityToken(string tokens, DemoCitizen citizen, params IEnumerable<JsonObject> entries) =>
        (await Run(Path.Combine(Tokens, "source.mjs"), new
        {
            issuer = tokens,
            app = new { id = DemoParties.App, key = Key(parties.AppFile) },
            audience = new { id = DemoParties.Audience, key = Key(parties.AudienceFile) },
            subject = parties.Bootstrap(citizen),
            ahead = (long)(parties.Now - DateTimeOffset.UtcNow).TotalSeconds,
            entries,
        }))!;

    private static async Task<JsonNode?> Run(string script, object input) => JsonNode.Parse(await ForeignProgram.Run("node", JsonSerializer.Serialize(input), script));

    private static string Key(string file) => File.ReadAllText(file)[Split(file)..];

    private static string Certificate(string file) => File.ReadAllText(file)[..Split(file)];

    private static int Split(string file) => File.ReadAllText(file).IndexOf("-----BEGIN PRIVATE KEY", StringComparison.Ordinal);
}
