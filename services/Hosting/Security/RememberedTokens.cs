using System.Collections.Concurrent;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Sloring.Hosting;

/// <summary>
/// Checks tokens, and remembers until the keys are fetched anew which were good: a caller sends the same one with every request, and checking its signature costs
/// as much as much of what is asked for. Its time is checked each time.
/// </summary>
internal sealed class RememberedTokens : JsonWebTokenHandler
{
    /// <summary>While no keys can be fetched.</summary>
    private static readonly TimeSpan For = TimeSpan.FromMinutes(1);

    /// <summary>Only what was signed by the token service is remembered; more of it than this is forgotten together.</summary>
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, (TokenValidationResult Result, long Since)> _good = [];
    private readonly TimeProvider _clock;

    public RememberedTokens(TimeProvider clock, TokenTrust trust)
    {
        _clock = clock;
        // A key that is withdrawn takes its tokens along.
        trust.Fetched += _good.Clear;
    }

    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        if (_good.TryGetValue(token, out var known))
        {
            if (_clock.GetElapsedTime(known.Since) < For && InTime(known.Result.SecurityToken, validationParameters))
                return known.Result;
            _good.TryRemove(token, out _);
        }
        var result = await base.ValidateTokenAsync(token, validationParameters);
        if (!result.IsValid)
            return result;
        if (_good.Count >= Most)
            _good.Clear();
        _good[token] = (result, _clock.GetTimestamp());
        return result;
    }

    private static bool InTime(SecurityToken token, TokenValidationParameters parameters) =>
        parameters.LifetimeValidator(Told(token.ValidFrom), Told(token.ValidTo), token, parameters);

    /// <summary>A time that a token does not tell is the first there is.</summary>
    private static DateTime? Told(DateTime time) => time == DateTime.MinValue ? null : time;
}
