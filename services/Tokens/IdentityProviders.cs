using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Tokens;

/// <summary>What a trusted provider says of a citizen who has signed in.</summary>
/// <param name="Subject">The provider's own id of the citizen.</param>
/// <param name="Citizen">The citizen's CPR number.</param>
/// <param name="ActsFor">URNs of the people whom the citizen may act for.</param>
/// <param name="Ends">When the bootstrap token ends.</param>
internal sealed record Bootstrap(string? Subject, CprNumber Citizen, IReadOnlyList<string> ActsFor, DateTimeOffset Ends);

/// <summary>The providers whose bootstrap tokens are taken, and their keys.</summary>
internal sealed class IdentityProviders(IOptions<TokenServiceOptions> options, TimeProvider clock) : IDisposable
{
    private const int MostRelations = 100;
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    /// <summary>Keys of an address are kept for so long.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(5);

    /// <summary>A token of a key that is not known has them fetched anew, no more often than this.</summary>
    private static readonly TimeSpan BetweenFetches = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5), MaxResponseContentBufferSize = 256 * 1024 };
    private readonly Dictionary<string, Provider> _byIssuer = options.Value.IdentityProviders.ToDictionary(provider => provider.Issuer, provider => new Provider(provider));
    private readonly SemaphoreSlim _fetching = new(1, 1);

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

    public void Dispose()
    {
        _http.Dispose();
        _fetching.Dispose();
    }

    private async Task<IReadOnlyList<VerificationKey>> Keys(Provider provider, TimeSpan noOlder, CancellationToken cancel)
    {
        if (provider.Keys is { } known && (!provider.IsRemote || TimeProvider.System.GetElapsedTime(provider.FetchedAt) < noOlder))
            return known;
        await _fetching.WaitAsync(cancel);
        try
        {
            if (provider.Keys is { } meanwhile && TimeProvider.System.GetElapsedTime(provider.FetchedAt) < noOlder)
                return meanwhile;
            provider.Keys = VerificationKey.SetOfProvider(await _http.GetStringAsync(new Uri(provider.Options.Jwks), cancel));
            provider.FetchedAt = TimeProvider.System.GetTimestamp();
            return provider.Keys;
        }
        catch (Exception e) when (e is HttpRequestException or FormatException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new RejectedException(Rejections.InstructionsUnavailable);
        }
        finally
        {
            _fetching.Release();
        }
    }

    private sealed class Provider
    {
        public Provider(IdentityProviderOptions options)
        {
            (Options, IsRemote) = (options, options.Jwks.StartsWith("http", StringComparison.Ordinal));
            if (!IsRemote)
                Keys = VerificationKey.SetOfProvider(TokenServiceOptionsCheck.TextOrFile(options.Jwks));
        }

        public IdentityProviderOptions Options { get; }

        public bool IsRemote { get; }

        public IReadOnlyList<VerificationKey>? Keys { get; set; }

        public long FetchedAt { get; set; }
    }
}
