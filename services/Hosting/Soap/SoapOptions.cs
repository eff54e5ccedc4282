using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Settings <c>Soap:</c> of the national service's wire: whose tickets are trusted, which clients may do what, and what that wire leaves unsaid.</summary>
public sealed class SoapOptions
{
    /// <summary>Issuers of tickets by a name of ours. None: every ticket is refused.</summary>
    public Dictionary<string, SoapIssuer> Issuers { get; set; } = [];

    /// <summary>Whom a ticket must name as its audience.</summary>
    public string Audience { get; set; } = "sloring";

    /// <summary>Refuse tickets that name no audience. (Inferred: national ID cards name none, so set this to false where their issuer is trusted.)</summary>
    public bool AudienceRequired { get; set; } = true;

    /// <summary>How many seconds an issuer's clock may be from ours, 0 to 300.</summary>
    public int ClockSkewSeconds { get; set; } = 60;

    /// <summary>Known clients by a name of ours, A-Z, a-z, 0-9 and . _ - only; it stands in the audit trail.</summary>
    public Dictionary<string, SoapClient> Clients { get; set; } = [];

    /// <summary>Address that the WSDLs name, for example behind a proxy; empty: the one asked.</summary>
    public string PublicAddress { get; set; } = "";

    /// <summary>Payload namespace of version 20230601. (Inferred, by analogy with the other.)</summary>
    public string Namespace20230601 { get; set; } = "http://sundhedsdatastyrelsen.dk/identitetssloering/2023/06/01/";

    /// <summary>Payload namespace of version 20240124. It carries the name of an authority that may change.</summary>
    public string Namespace20240124 { get; set; } = "http://sundhedsdatastyrelsen.dk/identitetssloering/2024/01/24/";

    /// <summary>Days after which no endDateTime may lie on this wire, whatever the process allows (rule M10); two years.</summary>
    public int LongestDays { get; set; } = 731;

    internal TicketPolicy Policy => new(
        [.. Issuers.Values.Select(issuer => new TrustedIssuer(issuer.Name, [.. issuer.Certificates.Values.Select(file => X509CertificateLoader.LoadCertificateFromFile(file))]))],
        Audience, AudienceRequired, TimeSpan.FromSeconds(ClockSkewSeconds));
}

/// <summary>An issuer of tickets.</summary>
public sealed class SoapIssuer
{
    /// <summary>As tickets name it in saml:Issuer.</summary>
    public string Name { get; set; } = "";

    /// <summary>Its certificates by a name of ours: files, PEM or DER, RSA of at least 2,048 bits. Several while it changes them.</summary>
    public Dictionary<string, string> Certificates { get; set; } = [];
}

/// <summary>A client of the national service's wire, told by its organisation and system name as its ticket has them.</summary>
public sealed class SoapClient
{
    /// <summary>Its organisation, 8 digits.</summary>
    public string Cvr { get; set; } = "";

    /// <summary>Its system name (medcom:ITSystemName).</summary>
    public string System { get; set; } = "";

    /// <summary>What it may do: names of operations, for example CreateBlurring.</summary>
    public IList<string> Operations { get; } = [];

    /// <summary>SOR id of the unit whose leaders decide on what it registers (rule A1); empty: the organisation's top.</summary>
    public string UnitSorId { get; set; } = "";

    /// <summary>The trigger of what it registers, which this wire does not carry (rule M4): violence, threats, harassment or founded-fear.</summary>
    public string Trigger { get; set; } = "founded-fear";
}

/// <summary>Stops the start with what to set.</summary>
public sealed class SoapOptionsCheck : IValidateOptions<SoapOptions>
{
    private static readonly HashSet<string> Operations =
        ["CreateBlurring", "CreateOrgBlurring", "RemoveOrgBlurring", "GetBlurredOrganisations", "ListAllBlurredOrgs", "GetCurrentSalt"];

    public ValidateOptionsResult Validate(string? name, SoapOptions options)
    {
        var wrong = new List<string>();
        foreach (var (key, issuer) in options.Issuers)
        {
            if (issuer.Name.Length == 0 || issuer.Certificates.Count == 0)
                wrong.Add($"Set Soap:Issuers:{key}:Name as its tickets name it, and Soap:Issuers:{key}:Certificates:<name> to the file of each of its certificates.");
            wrong.AddRange(issuer.Certificates.Where(file => !XmlSignatures.IsUsable(file.Value)).Select(file =>
                $"Soap:Issuers:{key}:Certificates:{file.Key} must name a certificate file (PEM or DER) with an RSA key of at least 2,048 bits."));
        }
        if (options.Issuers.Values.GroupBy(issuer => issuer.Name).Any(same => same.Count() > 1))
            wrong.Add("Two of Soap:Issuers have the same Name. Put all its certificates under one of them.");
        if (options.Audience.Length == 0)
            wrong.Add("Set Soap:Audience to the audience that tickets name, for example sloring.");
        if (options.ClockSkewSeconds is < 0 or > 300)
            wrong.Add("Soap:ClockSkewSeconds must be 0 to 300.");
        if (options.LongestDays is < 1 or > 731)
            wrong.Add("Soap:LongestDays must be 1 to 731; two years is the national limit.");
        if (options.PublicAddress.Length > 0 && !Uri.TryCreate(options.PublicAddress, UriKind.Absolute, out _))
            wrong.Add("Set Soap:PublicAddress to an address, for example https://sloring.example, or leave it out.");
        if (options.Namespace20230601.Length == 0 || options.Namespace20240124.Length == 0 || options.Namespace20230601 == options.Namespace20240124)
            wrong.Add("Soap:Namespace20230601 and Soap:Namespace20240124 must be two different namespaces.");
        foreach (var (key, client) in options.Clients)
        {
            if (key.Length > 50 || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') || Texts.LooksLikeCpr(key))
                wrong.Add("Name each of Soap:Clients by 1 to 50 letters, digits, . _ and -, without a CPR number.");
            if (!CvrNumber.TryParse(client.Cvr, out _) || client.System.Length == 0)
                wrong.Add($"Set Soap:Clients:{key}:Cvr to the 8 digits of its organisation's CVR number, and Soap:Clients:{key}:System to its system name.");
            if (client.Operations.FirstOrDefault(operation => !Operations.Contains(operation)) is { } unknown)
                wrong.Add($"Soap:Clients:{key}:Operations: there is no '{unknown}'. They are {string.Join(", ", Operations)}.");
            if (client.UnitSorId.Length > 0 && !SorId.IsValid(client.UnitSorId))
                wrong.Add($"Set Soap:Clients:{key}:UnitSorId to a SOR id, or leave it out.");
            if (client.Trigger is not ("violence" or "threats" or "harassment" or "founded-fear"))
                wrong.Add($"Set Soap:Clients:{key}:Trigger to violence, threats, harassment or founded-fear.");
        }
        if (options.Clients.Values.GroupBy(client => (client.Cvr, client.System)).Any(same => same.Count() > 1))
            wrong.Add("Each of Soap:Clients needs a Cvr and System that no other has.");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
