using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary><c>./run envelope CLIENT FILE</c>: a SOAP envelope around a body, with a ticket of the demo issuer, alone on standard output, for curl.</summary>
internal static class PrintEnvelope
{
    public static async Task<int> Run(string[] args, string client, FileInfo body, CancellationToken cancel)
    {
        var settings = EmbeddedHost.Settings(args);
        var issuer = new DemoIssuer(settings["Data:Folder"]!);
        if (settings.GetSection($"Soap:Clients:{client}").Get<SoapClient>() is not { System.Length: > 0 } known)
            return await Refuse($"There is no SOAP client '{client}'. They stand under Soap:Clients, for example soap-epj-hovedstaden.");
        if (!File.Exists(issuer.File))
            return await Refuse("There is no demo issuer yet. Start the platform first: ./run");
        if (!body.Exists)
            return await Refuse($"There is no file {body.FullName}. Try samples/soap/create-blurring.xml.");
        var now = new DemoClock(Path.Combine(settings["Data:Folder"]!, "demo-clock")).GetUtcNow();
        var ticket = issuer.Ticket(new DemoTicket(known.Cvr, known.System, now, settings["Soap:Audience"] ?? new SoapOptions().Audience));
        var content = await File.ReadAllTextAsync(body.FullName, cancel);
        Console.WriteLine(DemoIssuer.Envelope(ticket, content.Replace("{end}", $"{now.AddDays(30).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}", StringComparison.Ordinal)));
        return 0;
    }

    private static async Task<int> Refuse(string why)
    {
        await Console.Error.WriteLineAsync(why);
        return 1;
    }
}
