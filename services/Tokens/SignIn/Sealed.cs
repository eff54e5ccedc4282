using System.Security.Cryptography;
using System.Text.Json;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>What the token service hands out and takes back, sealed, so that every replica can read it and nobody else.</summary>
internal interface ISealed
{
    /// <summary>What it is for: one kind cannot be passed off as another.</summary>
    static abstract string Purpose { get; }

    /// <summary>When it is good no longer.</summary>
    DateTimeOffset Ends { get; }
}

/// <summary>Somebody who has signed in.</summary>
/// <param name="Id">Claim <c>sid</c>.</param>
/// <param name="Account">Id of the persona, or <c>person:</c> and the person's.</param>
/// <param name="SignedInAt">Claim <c>auth_time</c>.</param>
/// <param name="Ends">When they must sign in again, whatever they do.</param>
internal sealed record Session(string Id, string Account, DateTimeOffset SignedInAt, DateTimeOffset Ends) : ISealed
{
    public static string Purpose => "sign-in-session";

    /// <summary>The network that they signed in from, for the audit trail: what they do comes from an app's own.</summary>
    public string? From { get; init; }

    /// <summary>What the provider said; null for a persona.</summary>
    public ProviderPerson? Given { get; init; }
}

/// <summary>A sign-in page, or one that asks whether to sign out: which browser it was sent to, and what is to be done.</summary>
/// <param name="Browser">Hash of the browser's anti-forgery cookie.</param>
/// <param name="Request">What the app asks for.</param>
/// <param name="Ends">When the page is too old.</param>
internal sealed record SignInPage(string Browser, AuthorizeRequest Request, DateTimeOffset Ends) : ISealed
{
    public static string Purpose => "sign-in-page";
}

/// <inheritdoc cref="SignInPage"/>
/// <param name="Browser">Hash of the browser's anti-forgery cookie.</param>
/// <param name="SessionId">Whom to sign out.</param>
/// <param name="Target">Where to go then; null: nowhere.</param>
/// <param name="Language">The page's.</param>
/// <param name="Ends">When the page is too old.</param>
internal sealed record SignOutPage(string Browser, string SessionId, string? Target, string Language, DateTimeOffset Ends) : ISealed
{
    public static string Purpose => "sign-out-page";
}

/// <summary>An authorization code: good once, for one client, one address and whoever holds the verifier of the challenge.</summary>
/// <param name="Id">What is remembered of it once it has been used.</param>
/// <param name="Request">What the app asked for.</param>
/// <param name="Session">Who has signed in.</param>
/// <param name="Given">When.</param>
/// <param name="Ends">Good until.</param>
internal sealed record AuthorizationCode(string Id, AuthorizeRequest Request, Session Session, DateTimeOffset Given, DateTimeOffset Ends) : ISealed
{
    public static string Purpose => "authorization-code";
}

/// <summary>A refresh token: good for one client as long as the session.</summary>
/// <param name="ClientId">The client.</param>
/// <param name="Session">Who has signed in.</param>
/// <param name="Given">When.</param>
internal sealed record RefreshToken(string ClientId, Session Session, DateTimeOffset Given) : ISealed
{
    public static string Purpose => "refresh-token";

    public DateTimeOffset Ends => Session.Ends;
}

internal static class SealedTexts
{
    public static string Seal<T>(this Sealer sealer, T what) where T : ISealed => sealer.Seal(JsonSerializer.Serialize(what), T.Purpose);

    /// <summary>What a text holds; null when it was not sealed here, for this, or is over.</summary>
    public static T? Open<T>(this Sealer sealer, string text, DateTimeOffset now) where T : class, ISealed
    {
        try
        {
            return JsonSerializer.Deserialize<T>(sealer.Open(text, T.Purpose)) is { } what && what.Ends > now ? what : null;
        }
        catch (Exception e) when (e is CryptographicException or FormatException or JsonException)
        {
            return null;
        }
    }
}
