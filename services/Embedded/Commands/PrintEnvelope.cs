using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary><c>./run envelope CLIENT FILE</c>: a SOAP envelope around a body, with a ticket of the demo issuer, alone on standard output, for curl.</summary>
public static class PrintEnvelope
{
    internal static Task<int> Run(string[] args, string client, FileInfo body, CancellationToken cancel)
    {
        var settings = EmbeddedHost.Settings(args);
        return Print(settings, new DemoParties(settings["Data:Folder"]!), client, body, cancel);
    }

    /// <summary>Prints it, or what is missing.</summary>
    /// <param name="settings">Soap:Clients and Soap:Audience.</param>
    /// <param name="parties">Whose issuer signs.</param>
    /// <param name="client">One of Soap:Clients.</param>
    /// <param name="body">File of the body; {end} in it becomes a time 30 days ahead.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<int> Print(IConfiguration settings, DemoParties parties, string client, FileInfo body, CancellationToken cancel)
    {
        if (settings.GetSection($"Soap:Clients:{client}").Get<SoapClient>() is not { System.Length: > 0 } known)
            return await Refuse($"There is no SOAP client '{client}'. They stand under Soap:Clients, for example soap-epj-hovedstaden.");
        if (!File.Exists(parties.Issuer.File))
            return await Refuse("There is no demo issuer yet. Start the platform first.");
        if (!body.Exists)
            return await Refuse($"There is no file {body.FullName}. Try samples/soap/create-blurring.xml.");
        var now = parties.Now;
        var ticket = parties.Issuer.Ticket(new DemoTicket(known.Cvr, known.System, now, settings["Soap:Audience"] ?? new SoapOptions().Audience));
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
