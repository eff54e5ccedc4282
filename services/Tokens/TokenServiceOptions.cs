using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>
/// Settings under <c>Tokens</c>; checked at start. Issuer and audience are not among them: they are <c>Token:Issuer</c> and
/// <c>Token:Audience</c>, which every process of the platform has, so that who issues and who checks cannot disagree.
/// </summary>
public sealed class TokenServiceOptions
{
    /// <summary>How long a token lives. Short, because a service that cannot reach the token service hears of no revocation.</summary>
    public int LifetimeSeconds { get; set; } = 300;

    /// <summary>Who may ask for tokens. Their secrets are not settings: they are in the secret store as <c>client/&lt;Id&gt;</c>.</summary>
    public IList<ClientOptions> Clients { get; } = [];

    /// <summary>File of what the token service remembers: revoked clients, signing keys (sealed). Several replicas share it. Empty: it remembers nothing.</summary>
    public string StateFile { get; set; } = "";

    /// <summary>How long a new signing key is listed before it signs: longer than anybody keeps a key set.</summary>
    public int KeyLeadSeconds { get; set; } = 60;

    /// <summary>The signing key is changed after so many days; 0: by an operator's call only.</summary>
    public int RotateKeysAfterDays { get; set; } = 90;

    /// <summary>PEM file of the authorities whose certificates clients of <c>tls_client_auth</c> may show.</summary>
    public string ClientCaFile { get; set; } = "";

    /// <summary>Address at which clients reach Listen:Https, for the discovery document; empty: none.</summary>
    public string MtlsAddress { get; set; } = "";

    /// <summary>How people sign in: <c>none</c>; <c>demo</c>, where anybody may be any persona; or <c>openid</c>, at a provider.</summary>
    public string SignIn { get; set; } = SignInWays.None;

    /// <summary>Where people sign in with <c>openid</c>.</summary>
    public OpenIdProviderOptions OpenIdProvider { get; } = new();

    /// <summary>How long a person stays signed in.</summary>
    public int SessionHours { get; set; } = 8;

    /// <summary>Whose bootstrap tokens are exchanged.</summary>
    public IList<IdentityProviderOptions> IdentityProviders { get; } = [];

    /// <summary>For whom identity tokens are made.</summary>
    public IList<AudienceOptions> Audiences { get; } = [];

    /// <summary>The exchange over WS-Trust.</summary>
    public WsTrustOptions WsTrust { get; set; } = new();
}

/// <summary>Settings <c>Tokens:WsTrust</c>: the exchange in the form of the national service's Bst2Idws.</summary>
public sealed class WsTrustOptions
{
    /// <summary>Secret with the private key, where <see cref="Key"/> is empty.</summary>
    public const string KeySecret = "ws-trust-key";

    /// <summary>Certificate that identity tokens are signed with: a PEM file, RSA of at least 2,048 bits. Empty: there is no WS-Trust here.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>PEM file of its private key; empty: the secret <c>ws-trust-key</c>.</summary>
    public string Key { get; set; } = "";

    /// <summary>Where it is called, as the national service has it.</summary>
    public string Path { get; set; } = "/sts/services/Bst2Idws";

    /// <summary>Attribute with the masking instructions. (Inferred: the national name is not published.)</summary>
    public string BlurringAttribute { get; set; } = "dk:healthcare:saml:attribute:BlurringInstructions";

    /// <summary>Namespace of the XML in it. (Inferred, by analogy with urn:dk:healthcare:saml:user_authorization_profile:1.0.)</summary>
    public string BlurringNamespace { get; set; } = "urn:dk:healthcare:saml:blurring_instructions_profile:1.0";
}

/// <summary>How people sign in.</summary>
public static class SignInWays
{
    public const string None = "none";
    public const string Demo = "demo";
    public const string OpenId = "openid";

    internal static readonly IReadOnlyList<string> All = [None, Demo, OpenId];
}

/// <summary>The OpenID provider that people sign in at. The client secret that it has given is the secret <c>openid-provider</c>.</summary>
public sealed class OpenIdProviderOptions
{
    /// <summary>Its issuer; the discovery document is read from there.</summary>
    public string Authority { get; set; } = "";

    /// <summary>The id of this token service there.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>What is asked for, with spaces between.</summary>
    public string Scopes { get; set; } = "openid profile";

    /// <summary>Claim of the ID token with the organisation's id of the person.</summary>
    public string PersonClaim { get; set; } = "sub";

    /// <summary>Claim with the name.</summary>
    public string NameClaim { get; set; } = "name";

    /// <summary>Claim with one role or group, or several.</summary>
    public string RolesClaim { get; set; } = "roles";

    /// <summary>Claim with the CVR number of the organisation.</summary>
    public string CvrClaim { get; set; } = "cvr";

    /// <summary>Claim with the SOR id of the unit.</summary>
    public string UnitClaim { get; set; } = "unit";

    /// <summary>Claim with the authorisation id of a health professional.</summary>
    public string AuthorisationClaim { get; set; } = "authorisation";

    /// <summary>Claim with a citizen's own CPR number; read for the role citizen only.</summary>
    public string CprClaim { get; set; } = "dk:gov:saml:attribute:CprNumberIdentifier";

    /// <summary>Claim with the people whom a citizen may act for, one URN or several; read for the role citizen-representative only.</summary>
    public string OnBehalfOfClaim { get; set; } = "dk:healthcare:saml:attribute:OnBehalfOf";

    /// <summary>Which of the provider's words give which role here. What is not in the table gives none.</summary>
    public IList<ProviderRoleOptions> Roles { get; } = [];
}

/// <summary>One role or group of the provider's.</summary>
public sealed class ProviderRoleOptions
{
    /// <summary>In the provider's words.</summary>
    public string Value { get; set; } = "";

    /// <summary>The role here.</summary>
    public string Role { get; set; } = "";
}

/// <summary>How a client shows that it is itself (RFC 7591's and RFC 8705's names).</summary>
public static class ClientMethods
{
    public const string Secret = "client_secret";
    public const string Assertion = "private_key_jwt";
    public const string Certificate = "tls_client_auth";
    public const string OwnCertificate = "self_signed_tls_client_auth";

    /// <summary>As the token request names an assertion (RFC 7523, 2.2).</summary>
    public const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    internal static readonly IReadOnlyList<string> All = [Secret, Assertion, Certificate, OwnCertificate];
}

/// <summary>One client, or one persona: a client that acts as a named person.</summary>
public sealed class ClientOptions
{
    /// <summary>The client id, 1 to 64 characters of A-Z, a-z, 0-9 and . _ -</summary>
    public string Id { get; set; } = "";

    /// <summary>What people call it.</summary>
    public string Name { get; set; } = "";

    /// <summary>What it may do for itself, at least one; none for an app that people sign in to.</summary>
    public IList<string> Roles { get; } = [];

    /// <summary>The organisation it acts for; none for national parts.</summary>
    public string? Cvr { get; set; }

    /// <summary>The organisation's id of the person it acts as; never a CPR number.</summary>
    public string? PersonId { get; set; }

    /// <summary>SOR id of the person's unit.</summary>
    public string? UnitSorId { get; set; }

    /// <summary>The person's authorisation id as a health professional, 5 characters; by it they are known again on the national wire (rules A6, A7). None: left out.</summary>
    public string? AuthorisationId { get; set; }

    /// <summary>CPR number of a persona with the role citizen: a synthetic one, since whoever reads the settings reads it.</summary>
    public string? Cpr { get; set; }

    /// <summary>CPR numbers of those whom a persona with the role citizen-representative acts for; synthetic too.</summary>
    public IList<string> ActsFor { get; } = [];

    /// <summary>The one way in which it shows that it is itself: client_secret, private_key_jwt, tls_client_auth or self_signed_tls_client_auth.</summary>
    public string Authentication { get; set; } = ClientMethods.Secret;

    /// <summary>Its public keys as a JWK set, or the path of a file with them. Each names its one algorithm.</summary>
    public string Jwks { get; set; } = "";

    /// <summary>The certificate of tls_client_auth: its subject (RFC 4514, as <c>openssl x509 -subject -nameopt RFC2253</c> prints it).</summary>
    public string CertificateSubject { get; set; } = "";

    /// <summary>The certificate of tls_client_auth: a DNS name among its alternative names.</summary>
    public string CertificateDnsName { get; set; } = "";

    /// <summary>Where people who have signed in are sent back to, and nowhere else. A loopback address with any port (RFC 8252, 7.3).</summary>
    public IList<string> RedirectUris { get; } = [];

    /// <summary>Where people who have signed out may be sent back to.</summary>
    public IList<string> PostLogoutRedirectUris { get; } = [];

    /// <summary>Whom it may get identity tokens for: ids of Tokens:Audiences.</summary>
    public IList<string> Audiences { get; } = [];
}

/// <summary>A provider of citizens' bootstrap tokens that is trusted.</summary>
public sealed class IdentityProviderOptions
{
    /// <summary>Its name in claim <c>iss</c>.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>Its public keys, for bootstrap tokens that are JWTs: a JWK set, the path of a file, or an https:// address.</summary>
    public string Jwks { get; set; } = "";

    /// <summary>Its certificates by a name of ours, for bootstrap tokens in SAML: files, PEM or DER, RSA of at least 2,048 bits. Several while it changes them.</summary>
    public Dictionary<string, string> Certificates { get; set; } = [];

    /// <summary>What its tokens name in <c>aud</c> when they are meant for this platform.</summary>
    public string Audience { get; set; } = "";

    /// <summary>Claim with the CPR number of the citizen who has signed in. The national service's name is documented for SAML; in a JWT it is inferred.</summary>
    public string CprClaim { get; set; } = "dk:gov:saml:attribute:CprNumberIdentifier";

    /// <summary>Claim with the people whom the citizen may act for, one URN or several. The name is documented for SAML; in a JWT it is inferred.</summary>
    public string OnBehalfOfClaim { get; set; } = "dk:healthcare:saml:attribute:OnBehalfOf";

    /// <summary>The longest life of a bootstrap token that is taken.</summary>
    public int LongestLifeSeconds { get; set; } = 3_600;
}

/// <summary>A data source or a view that takes identity tokens.</summary>
public sealed class AudienceOptions
{
    /// <summary>Its name, a URI: what clients ask for and what stands in <c>aud</c>.</summary>
    public string Id { get; set; } = "";

    /// <summary>Its public key for encryption: a JWK (EC P-256), or the path of a file with it.</summary>
    public string Key { get; set; } = "";

    /// <summary>Its certificate for encryption of SAML: a file, PEM or DER, RSA of at least 2,048 bits.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>Take a token that is signed only. For tests: whoever sees it reads a CPR number and who masks.</summary>
    public bool AllowUnencrypted { get; set; }

    /// <summary>How long an identity token lives: a masking made meanwhile is seen at the next exchange.</summary>
    public int LifetimeSeconds { get; set; } = 120;
}

/// <summary>Says of every wrong setting what to set.</summary>
internal sealed class TokenServiceOptionsCheck(IConfiguration configuration) : IValidateOptions<TokenServiceOptions>
{
    private const int LongestLife = 3_600;

    private static readonly string KnownRoles = string.Join(", ", Roles.All.Order(StringComparer.Ordinal));

    public ValidateOptionsResult Validate(string? name, TokenServiceOptions options)
    {
        var wrong = Service(options).Concat(options.Clients.SelectMany((client, at) => Client(client, at).Concat(Identification(client, at, options)).Concat(App(client, at)))).Concat(Doubles(options.Clients))
            .Concat(options.SignIn == SignInWays.OpenId ? OpenId(options.OpenIdProvider) : [])
            .Concat(options.IdentityProviders.SelectMany(Provider)).Concat(options.Audiences.SelectMany(Audience)).ToList();
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private IEnumerable<string> Service(TokenServiceOptions options)
    {
        if (options.LifetimeSeconds is < 30 or > LongestLife)
            yield return $"Tokens:LifetimeSeconds must be 30 to {LongestLife}; 300 is the default.";
        if (options.Clients.Count == 0)
            yield return "Tokens:Clients is empty, so nobody could get a token. Set at least Tokens:Clients:0:Id and Tokens:Clients:0:Roles:0.";
        if (options.KeyLeadSeconds is < 1 or > 86_400)
            yield return "Tokens:KeyLeadSeconds must be 1 to 86400; 60 is the default.";
        if (options.RotateKeysAfterDays is < 0 or > 3_650)
            yield return "Tokens:RotateKeysAfterDays must be 0 to 3650; 90 is the default, 0 leaves it to an operator's call.";
        if (options.ClientCaFile.Length > 0 && !File.Exists(options.ClientCaFile))
            yield return "Tokens:ClientCaFile does not name an existing file. Set it to the PEM file of the authorities.";
        if (options.MtlsAddress.Length > 0 && !(Uri.TryCreate(options.MtlsAddress, UriKind.Absolute, out var uri) && uri.Scheme == "https"))
            yield return "Tokens:MtlsAddress must be the https:// address of Listen:Https, as clients reach it.";
        if (!SignInWays.All.Contains(options.SignIn))
            yield return $"Tokens:SignIn must be one of: {string.Join(", ", SignInWays.All)}.";
        else if (options.SignIn == SignInWays.Demo && !(Uri.TryCreate(configuration["Token:Issuer"], UriKind.Absolute, out var issuer) && issuer.IsLoopback))
            yield return "Tokens:SignIn is demo, which lets anybody in as anybody: only where Token:Issuer is an address of this machine. Set it to none.";
        else if (options.SignIn != SignInWays.None && options.StateFile.Length == 0)
            yield return "Tokens:StateFile is empty, so that nobody could be signed out. Set it to a file that all replicas of the token service share.";
        if (options.SessionHours is < 1 or > 24)
            yield return "Tokens:SessionHours must be 1 to 24; 8 is the default.";
        foreach (var no in WsTrust(options.WsTrust))
            yield return no;
        if (options.IdentityProviders.Count == 0)
            yield break;
        foreach (var service in (ReadOnlySpan<string>)["effectuation", "pseudonym"] is var needed && configuration["Events"] != "dapr" ? needed.ToArray() : [])
        {
            if (string.IsNullOrEmpty(configuration["Services:" + service]))
                yield return $"Tokens:IdentityProviders is set, so the token service asks what is masked. Set Services:{service} to the gRPC address of that service.";
        }
        if (options.Clients.All(client => client.Id != TokensModule.Name || !client.Roles.Contains(Roles.TokenService)))
            yield return $"Tokens:IdentityProviders is set, so the token service asks what is masked. Add a client with the Id {TokensModule.Name} and the role {Roles.TokenService}.";
    }

    private static IEnumerable<string> WsTrust(WsTrustOptions options)
    {
        if (options.Certificate.Length == 0)
            yield break;
        if (!XmlSignatures.IsUsable(options.Certificate))
            yield return "Tokens:WsTrust:Certificate must name a certificate file (PEM) with an RSA key of at least 2,048 bits.";
        if (options.Key.Length > 0 && !File.Exists(options.Key))
            yield return $"Tokens:WsTrust:Key does not name an existing file. Set it to the PEM file of the private key, or leave it out and set the secret {WsTrustOptions.KeySecret}.";
        if (!options.Path.StartsWith('/') || options.BlurringAttribute.Length == 0 || options.BlurringNamespace.Length == 0)
            yield return "Tokens:WsTrust:Path must begin with a slash, and BlurringAttribute and BlurringNamespace must not be empty. Leave them out for the defaults.";
    }

    private static IEnumerable<string> Client(ClientOptions client, int at)
    {
        var setting = $"Tokens:Clients:{at}";
        if (!IsId(client.Id))
            yield return $"{setting}:Id must be 1 to 64 characters of A-Z, a-z, 0-9 and . _ -, not beginning with a dot.";
        if (client.Roles.Count == 0 && client.RedirectUris.Count == 0)
            yield return $"{setting}:Roles is empty. Set at least one of: {KnownRoles}.";
        foreach (var role in client.Roles.Where(role => !Roles.All.Contains(role)))
            yield return $"{setting}:Roles has the unknown role \"{role}\". Set one of: {KnownRoles}.";
        if (client.Cvr is not null && !CvrNumber.TryParse(client.Cvr, out _))
            yield return $"{setting}:Cvr must be 8 digits with a right check digit. Leave it out for a client of no single organisation.";
        if (client.PersonId is not null && !IsPersonId(client.PersonId))
            yield return $"{setting}:PersonId must be the organisation's own id of the person, 1 to 64 characters of A-Z, a-z, 0-9 and . _ -, "
                + "never a CPR number.";
        if (client.UnitSorId is not null && !SorId.IsValid(client.UnitSorId))
            yield return $"{setting}:UnitSorId must be a SOR id: 11 to 18 digits with a right check digit.";
        if (client.AuthorisationId is not null && (client.PersonId is null || !AuthorisationId.IsValid(client.AuthorisationId)))
            yield return $"{setting}:AuthorisationId must be the 5 letters and digits of the person's authorisation id, beside {setting}:PersonId.";
        if (client.Cpr is not null != client.Roles.Contains(Roles.Citizen) || (client.Cpr is not null && !CprNumber.TryParse(client.Cpr, out _)))
            yield return $"{setting}:Cpr must be the CPR number of a synthetic citizen, where the role {Roles.Citizen} is one of {setting}:Roles; else leave it out.";
        if (client.ActsFor.Count > 0 != client.Roles.Contains(Roles.CitizenRepresentative) || !client.ActsFor.All(cpr => CprNumber.TryParse(cpr, out _)))
            yield return $"{setting}:ActsFor must hold CPR numbers of synthetic citizens, where the role {Roles.CitizenRepresentative} is one of {setting}:Roles; else leave it out.";
        if (client.UnitSorId is not null && client.Cvr is null)
            yield return $"{setting}:UnitSorId is set without {setting}:Cvr. Set the CVR number of the unit's organisation too.";
    }

    private static IEnumerable<string> Identification(ClientOptions client, int at, TokenServiceOptions options)
    {
        var setting = $"Tokens:Clients:{at}";
        if (!ClientMethods.All.Contains(client.Authentication))
            yield return $"{setting}:Authentication must be one of: {string.Join(", ", ClientMethods.All)}.";
        var takesKeys = client.Authentication is ClientMethods.Assertion or ClientMethods.OwnCertificate;
        if (takesKeys && Wrong(() => VerificationKey.Set(TextOrFile(client.Jwks))) is { } fault)
            yield return $"{setting}:Jwks must be the client's public keys as a JWK set, or a file with them: {fault}.";
        if (!takesKeys && client.Jwks.Length > 0)
            yield return $"{setting}:Jwks is for the methods {ClientMethods.Assertion} and {ClientMethods.OwnCertificate}. Leave it out, or set {setting}:Authentication.";
        if (client.Authentication == ClientMethods.OwnCertificate && takesKeys && Wrong(() => VerificationKey.Set(TextOrFile(client.Jwks))) is null
            && VerificationKey.Set(TextOrFile(client.Jwks)).All(key => key.Thumbprint is null))
            yield return $"{setting}:Jwks names no certificate. Give a key x5c or x5t#S256.";
        var names = new[] { client.CertificateSubject, client.CertificateDnsName }.Count(text => text.Length > 0);
        if (client.Authentication == ClientMethods.Certificate && names != 1)
            yield return $"{setting} needs exactly one of CertificateSubject and CertificateDnsName.";
        if (client.CertificateSubject.Length > 0 && Wrong(() => Clients.Subject(client.CertificateSubject)) is { } unreadable)
            yield return $"{setting}:CertificateSubject must be a subject like CN=epj,O=Region,C=DK: {unreadable}.";
        if (client.Authentication == ClientMethods.Certificate && options.ClientCaFile.Length == 0)
            yield return $"{setting}:Authentication is {ClientMethods.Certificate}. Set Tokens:ClientCaFile to the PEM file of the authorities.";
        if (client.Authentication != ClientMethods.Certificate && names > 0)
            yield return $"{setting}:CertificateSubject and CertificateDnsName are for the method {ClientMethods.Certificate}. Leave them out, or set {setting}:Authentication.";
        foreach (var audience in client.Audiences.Where(audience => options.Audiences.All(known => known.Id != audience)))
            yield return $"{setting}:Audiences has \"{audience}\", which is not the Id of one of Tokens:Audiences.";
        if (client.Audiences.Count > 0 && !client.Roles.Contains(Roles.CitizenView))
            yield return $"{setting}:Audiences is set: only a client with the role {Roles.CitizenView} may exchange citizens' tokens (rule E8).";
    }

    private static IEnumerable<string> OpenId(OpenIdProviderOptions provider)
    {
        const string Setting = "Tokens:OpenIdProvider";
        // A system's roles are not for people: their holders act for everybody.
        HashSet<string> forPeople = [.. Roles.All.Except([Roles.Service, Roles.TokenService, Roles.EpjAdapter, Roles.DataSource, Roles.CitizenView, Roles.LogReader])];
        if (!Uri.TryCreate(provider.Authority, UriKind.Absolute, out var uri) || !(uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback)))
            yield return $"{Setting}:Authority must be the https:// address of the provider: keys may come without TLS from this machine only.";
        if (provider.ClientId.Length == 0)
            yield return $"{Setting}:ClientId is empty. Set it to the id of this token service at the provider.";
        if (provider.PersonClaim.Length == 0 || provider.RolesClaim.Length == 0)
            yield return $"{Setting}:PersonClaim and {Setting}:RolesClaim must name claims of the provider's ID token.";
        if (provider.Roles.Count == 0)
            yield return $"{Setting}:Roles is empty, so nobody could sign in. Set at least {Setting}:Roles:0:Value and {Setting}:Roles:0:Role.";
        foreach (var (role, at) in provider.Roles.Select((role, at) => (role, at)).Where(one => one.role.Value.Length == 0 || !forPeople.Contains(one.role.Role)))
            yield return $"{Setting}:Roles:{at} needs a Value, and a Role of: {string.Join(", ", forPeople.Order(StringComparer.Ordinal))}.";
    }

    private static IEnumerable<string> App(ClientOptions client, int at)
    {
        var setting = $"Tokens:Clients:{at}";
        foreach (var (name, uris) in ((string, IList<string>)[])[("RedirectUris", client.RedirectUris), ("PostLogoutRedirectUris", client.PostLogoutRedirectUris)])
        {
            if (!uris.All(RedirectUris.MayBeRegistered))
                yield return $"{setting}:{name} must be https:// addresses without a fragment; http:// for 127.0.0.1 and [::1] only.";
        }
        if (client.PostLogoutRedirectUris.Count > 0 && client.RedirectUris.Count == 0)
            yield return $"{setting}:PostLogoutRedirectUris is set without {setting}:RedirectUris. Set both, or leave both out.";
        if (client.RedirectUris.Count > 0 && client.PersonId is not null)
            yield return $"{setting}:RedirectUris and {setting}:PersonId are both set: a client is an app that people sign in to, or it acts as one person.";
    }

    private static IEnumerable<string> Provider(IdentityProviderOptions provider, int at)
    {
        var setting = $"Tokens:IdentityProviders:{at}";
        if (provider.Issuer.Length == 0)
            yield return $"{setting}:Issuer is empty. Set it to what stands in iss.";
        if (provider.Audience.Length == 0)
            yield return $"{setting}:Audience is empty. Set it to what stands in aud: a token that is meant for somebody else is not taken.";
        if (provider.CprClaim.Length == 0)
            yield return $"{setting}:CprClaim is empty. Set it to the claim with the CPR number.";
        if (provider.LongestLifeSeconds is < 60 or > 86_400)
            yield return $"{setting}:LongestLifeSeconds must be 60 to 86400; 3600 is the default.";
        foreach (var (name, _) in provider.Certificates.Where(file => !XmlSignatures.IsUsable(file.Value)))
            yield return $"{setting}:Certificates:{name} must name a certificate file (PEM or DER) with an RSA key of at least 2,048 bits.";
        if (provider.Jwks.Length == 0 && provider.Certificates.Count > 0)
            yield break;
        if (Uri.TryCreate(provider.Jwks, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
        {
            if (uri.Scheme == "http" && !uri.IsLoopback)
                yield return $"{setting}:Jwks must be an https:// address: keys may come without TLS from this machine only.";
        }
        else if (Wrong(() => AllOfProvider(provider.Jwks)) is { } fault)
        {
            yield return $"{setting}:Jwks must be the provider's public keys as a JWK set, a file with them, or an https:// address: {fault}.";
        }
    }

    private static IEnumerable<string> Audience(AudienceOptions audience, int at)
    {
        var setting = $"Tokens:Audiences:{at}";
        if (!Uri.TryCreate(audience.Id, UriKind.Absolute, out _))
            yield return $"{setting}:Id must be a URI, for example https://audience.nspop.dk/minlog.";
        if (audience.LifetimeSeconds is < 30 or > LongestLife)
            yield return $"{setting}:LifetimeSeconds must be 30 to {LongestLife}; 120 is the default.";
        if (audience.Certificate.Length > 0 && !XmlSignatures.IsUsable(audience.Certificate))
            yield return $"{setting}:Certificate must name a certificate file (PEM or DER) with an RSA key of at least 2,048 bits.";
        if (audience.Key.Length == 0 && audience.Certificate.Length == 0 && !audience.AllowUnencrypted)
            yield return $"{setting}:Key is empty. Set it to the audience's public key: the token holds a CPR number and who masks.";
        if (audience.Key.Length > 0 && Wrong(() => Encryption.ReadKey(TextOrFile(audience.Key))) is { } fault)
            yield return $"{setting}:Key must be a JWK of a public EC P-256 key, or a file with it: {fault}.";
    }

    private static IEnumerable<string> Doubles(IEnumerable<ClientOptions> clients) => clients
        .GroupBy(client => client.Id, StringComparer.Ordinal)
        .Where(same => same.Key.Length > 0 && same.Count() > 1)
        .Select(same => $"Tokens:Clients has {same.Count()} clients with the Id \"{same.Key}\". Give each its own.");

    /// <summary>What is wrong with a key, without quoting it.</summary>
    private static string? Wrong<T>(Func<T> read)
    {
        try
        {
            read();
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    /// <summary>Keys that operators have written down: one that cannot be used they can mend.</summary>
    private static IReadOnlyList<VerificationKey> AllOfProvider(string jwks)
    {
        var (keys, passedOver) = VerificationKey.SetOfProvider(TextOrFile(jwks));
        return passedOver is [var why, ..] ? throw new FormatException(why) : keys;
    }

    /// <summary>JSON as it stands, or from a file.</summary>
    /// <exception cref="FormatException">There is no such file.</exception>
    internal static string TextOrFile(string setting) => setting.TrimStart().StartsWith('{') ? setting
        : File.Exists(setting) ? File.ReadAllText(setting)
        : throw new FormatException("it is neither JSON nor the path of a file");

    /// <summary>Whether a text may be an organisation's id of a person.</summary>
    internal static bool IsPersonId(string id) => IsId(id) && !Texts.LooksLikeCpr(id);

    // No colon: HTTP Basic ends the client id at the first one. No leading dot: the id is part of a file name in the secret store.
    private static bool IsId(string id) =>
        id is { Length: >= 1 and <= 64 } && id[0] != '.' && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
