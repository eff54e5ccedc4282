using System.Security.Cryptography.X509Certificates;
using System.Xml;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;
using static Sloring.Hosting.XmlSignatures;

namespace Sloring.Tokens;

/// <summary>What a trusted provider says of a citizen who has signed in.</summary>
/// <param name="Subject">The provider's own id of the citizen.</param>
/// <param name="Citizen">The citizen's CPR number.</param>
/// <param name="ActsFor">URNs of the people whom the citizen may act for.</param>
/// <param name="Ends">When the bootstrap token ends.</param>
internal sealed record Bootstrap(string? Subject, CprNumber Citizen, IReadOnlyList<string> ActsFor, DateTimeOffset Ends);

/// <summary>The providers whose bootstrap tokens are taken, and their keys.</summary>
internal sealed class IdentityProviders(IOptions<TokenServiceOptions> options, IOptions<TokenOptions> token, TimeProvider clock, ILogger<IdentityProviders> log) : IDisposable
{
    private const int MostRelations = 100;
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    /// <summary>Keys of an address are kept for so long.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(5);

    /// <summary>A token of a key that is not known has them fetched anew, no more often than this; and so long is a provider left alone that did not answer.</summary>
    private static readonly TimeSpan BetweenFetches = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5), MaxResponseContentBufferSize = 256 * 1024 };
    private readonly Dictionary<string, Provider> _byIssuer = options.Value.IdentityProviders.ToDictionary(provider => provider.Issuer, provider => new Provider(provider));
    private readonly Lazy<IReadOnlyList<TrustedIssuer>> _issuers = new(() => [.. options.Value.IdentityProviders.Select(provider => new TrustedIssuer(
        provider.Issuer, [.. provider.Certificates.Values.Select(file => X509CertificateLoader.LoadCertificateFromFile(file))]))]);

    /// <summary>Reads a bootstrap token.</summary>
    /// <exception cref="RejectedException">SLR-612: not a valid one of a trusted provider; SLR-613: it does not say who the citizen is; SLR-615: the provider's keys cannot be fetched.</exception>
    public async Task<Bootstrap> Read(string token, CancellationToken cancel)
    {
        var issuer = SignedJwt.Peek(token) is { } unproved ? SignedJwt.Text(unproved, "iss") : null;
        if (issuer is null || !_byIssuer.TryGetValue(issuer, out var provider))
            throw new RejectedException(Rejections.SubjectTokenInvalid.For("subject_token"));
        var verified = await SignedJwt.Verify(token, await Keys(provider, Kept, cancel));
        if (verified is null && provider.IsRemote)
            verified = await SignedJwt.Verify(token, await Keys(provider, BetweenFetches, cancel));
        if (verified is not { } claims)
            throw new RejectedException(Rejections.SubjectTokenInvalid.For("subject_token"));
        var (issued, ends, now) = (SignedJwt.Instant(claims, "iat"), SignedJwt.Instant(claims, "exp"), clock.GetUtcNow());
        if (issued is null || ends is null || now >= ends || issued > now + Leeway || SignedJwt.Instant(claims, "nbf") > now + Leeway
            || ends - issued > TimeSpan.FromSeconds(provider.Options.LongestLifeSeconds)
            || !SignedJwt.Texts(claims, "aud").Contains(provider.Options.Audience, StringComparer.Ordinal))
            throw new RejectedException(Rejections.SubjectTokenInvalid.For("subject_token"));
        if (!CprNumber.TryParse(SignedJwt.Text(claims, provider.Options.CprClaim) ?? "", out var citizen))
            throw new RejectedException(Rejections.SubjectWithoutCpr.For("subject_token"));
        return new Bootstrap(SignedJwt.Text(claims, "sub"), citizen, [.. SignedJwt.Texts(claims, provider.Options.OnBehalfOfClaim).Take(MostRelations)], ends.Value);
    }

    /// <summary>Reads a bootstrap token that is a SAML 2.0 assertion.</summary>
    /// <param name="assertion">Where it stands in its envelope.</param>
    /// <param name="sender">The certificate that has signed the envelope: a token that is bound to a key is good for the holder of that key only.</param>
    /// <exception cref="NotValidException">It is not a valid one of a trusted provider.</exception>
    /// <exception cref="RejectedException">SLR-613.</exception>
    public Bootstrap Read(XmlElement assertion, X509Certificate2 sender)
    {
        var now = clock.GetUtcNow();
        var signed = SignedAssertion(assertion, _issuers.Value, now);
        var provider = _byIssuer[Single(signed.Elements(SoapNames.Saml, "Issuer"), "issuer").WholeText()!].Options;
        var conditions = Single(signed.Elements(SoapNames.Saml, "Conditions"), "conditions");
        // National ones have an end alone (inferred from public clients).
        var issued = Instant(signed.GetAttribute("IssueInstant"), "conditions");
        var from = conditions.HasAttribute("NotBefore") ? Instant(conditions.GetAttribute("NotBefore"), "conditions") : issued;
        var ends = Instant(conditions.GetAttribute("NotOnOrAfter"), "conditions");
        Require(now < ends && issued <= now + Leeway && from <= now + Leeway && ends - issued <= TimeSpan.FromSeconds(provider.LongestLifeSeconds), "conditions");
        var restrictions = conditions.Elements().ToList();
        Require(restrictions.Count > 0 && restrictions.TrueForAll(condition => condition.Is(SoapNames.Saml, "AudienceRestriction")), "audience");
        Require(restrictions.TrueForAll(restriction => restriction.Elements(SoapNames.Saml, "Audience").Any(audience => audience.WholeText() == provider.Audience)), "audience");
        var subject = Single(signed.Elements(SoapNames.Saml, "Subject"), "subject");
        Confirm(Single(subject.Elements(SoapNames.Saml, "SubjectConfirmation"), "subject"), provider, sender, now);
        var attributes = Attributes(signed);
        if (attributes[provider.CprClaim].SelectMany(Values).ToList() is not [var digits] || !CprNumber.TryParse(digits, out var citizen))
            throw new RejectedException(Rejections.SubjectWithoutCpr.For("ActAs"));
        return new Bootstrap(
            Single(subject.Elements(SoapNames.Saml, "NameID"), "subject").WholeText(), citizen, [.. attributes[provider.OnBehalfOfClaim].SelectMany(Values).Take(MostRelations)], ends);
    }

    /// <summary>Who may use it here and now (SAML 2.0 Core, 2.4.1.2); what the confirmation does not say, the conditions do.</summary>
    private void Confirm(XmlElement confirmation, IdentityProviderOptions provider, X509Certificate2 sender, DateTimeOffset now)
    {
        var method = confirmation.GetAttribute("Method");
        Require(method is TrustNames.Bearer or TrustNames.HolderOfKey, "subject");
        var data = confirmation.Elements(SoapNames.Saml, "SubjectConfirmationData").ToList();
        Require(data.Count <= 1, "subject");
        foreach (var said in data)
        {
            Require(!said.HasAttribute("NotOnOrAfter") || now < Instant(said.GetAttribute("NotOnOrAfter"), "subject"), "subject");
            Require(!said.HasAttribute("NotBefore") || Instant(said.GetAttribute("NotBefore"), "subject") <= now + Leeway, "subject");
            Require(!said.HasAttribute("Recipient") || IsHere(said.GetAttribute("Recipient"), provider), "subject");
        }
        if (method == TrustNames.Bearer)
            return;
        var holder = Single(data.SelectMany(said => said.Elements(SoapNames.Signature, "KeyInfo"))
            .SelectMany(info => info.Elements(SoapNames.Signature, "X509Data")).SelectMany(shown => shown.Elements(SoapNames.Signature, "X509Certificate")), "subject");
        using var certificate = Certificate(holder);
        Require(certificate.RawData.AsSpan().SequenceEqual(sender.RawData), "subject");
    }

    /// <summary>What the provider calls this platform, the issuer, or the address of WS-Trust under it.</summary>
    private bool IsHere(string recipient, IdentityProviderOptions provider)
    {
        var issuer = token.Value.Issuer.TrimEnd('/');
        return recipient == provider.Audience || recipient.TrimEnd('/') == issuer || recipient == issuer + options.Value.WsTrust.Path;
    }

    public void Dispose()
    {
        _http.Dispose();
        foreach (var provider in _byIssuer.Values)
            provider.Fetching.Dispose();
    }

    private async Task<IReadOnlyList<VerificationKey>> Keys(Provider provider, TimeSpan noOlder, CancellationToken cancel)
    {
        if (provider.Keys is { } known && (!provider.IsRemote || TimeProvider.System.GetElapsedTime(provider.FetchedAt) < noOlder))
            return known;
        await provider.Fetching.WaitAsync(cancel);
        try
        {
            if (provider.Keys is { } meanwhile && TimeProvider.System.GetElapsedTime(provider.FetchedAt) < noOlder)
                return meanwhile;
            if (provider.FailedAt is { } failed && TimeProvider.System.GetElapsedTime(failed) < BetweenFetches)
                throw new RejectedException(Rejections.InstructionsUnavailable);
            (provider.Keys, var passedOver) = VerificationKey.SetOfProvider(await _http.GetStringAsync(new Uri(provider.Options.Jwks), cancel));
            (provider.FetchedAt, provider.FailedAt) = (TimeProvider.System.GetTimestamp(), null);
            Tell(provider, string.Join("; ", passedOver.Distinct()));
            return provider.Keys;
        }
        catch (Exception e) when (e is HttpRequestException or FormatException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            provider.FailedAt = TimeProvider.System.GetTimestamp();
            throw new RejectedException(Rejections.InstructionsUnavailable);
        }
        finally
        {
            provider.Fetching.Release();
        }
    }

    /// <summary>Once while it stays so, and no value of it.</summary>
    private void Tell(Provider provider, string why)
    {
        if (why.Length > 0 && why != provider.PassedOver)
            log.LogWarning("Keys of the identity provider {Issuer} are passed over, and what they sign is refused: {Why}", provider.Options.Issuer, why);
        provider.PassedOver = why;
    }

    private sealed class Provider
    {
        public Provider(IdentityProviderOptions options)
        {
            (Options, IsRemote) = (options, options.Jwks.StartsWith("http", StringComparison.Ordinal));
            if (options.Jwks.Length == 0)
                Keys = [];
            else if (!IsRemote)
                Keys = VerificationKey.SetOfProvider(TokenServiceOptionsCheck.TextOrFile(options.Jwks)).Keys;
        }

        public IdentityProviderOptions Options { get; }

        public bool IsRemote { get; }

        public IReadOnlyList<VerificationKey>? Keys { get; set; }

        public long FetchedAt { get; set; }

        /// <summary>Null where the last fetch worked.</summary>
        public long? FailedAt { get; set; }

        /// <summary>Why keys of the last set were passed over; empty where none were.</summary>
        public string PassedOver { get; set; } = "";

        /// <summary>One fetches for all; another provider's keys wait for nobody.</summary>
        public SemaphoreSlim Fetching { get; } = new(1, 1);
    }
}
