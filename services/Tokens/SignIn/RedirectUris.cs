namespace Sloring.Tokens;

/// <summary>Where people who have signed in or out are sent back to: what is registered, word for word.</summary>
public static class RedirectUris
{
    private static readonly string[] LoopbackHosts = ["http://127.0.0.1", "http://[::1]"];

    /// <summary>Whether a client may be given this address: https, or this machine; nothing that two programs might read in two ways.</summary>
    public static bool MayBeRegistered(string uri) =>
        uri.All(c => c is > ' ' and <= '~' and not ('#' or '\\' or '*' or '@')) && Uri.TryCreate(uri, UriKind.Absolute, out var parsed)
        && (parsed.Scheme == "https" ? parsed.Host.Length > 0 : Loopback(uri) is not null);

    /// <summary>Whether an address is a registered one: the same text, or the same text but for the port where both are loopback addresses (RFC 8252, 7.3).</summary>
    public static bool Matches(string registered, string given) =>
        string.Equals(registered, given, StringComparison.Ordinal) || (Loopback(registered) is { } ours && Loopback(given) == ours);

    /// <summary>Host and what follows the port. Taken from the text and not from a parsed address, which would be another program's reading of it.</summary>
    private static (string Host, string After)? Loopback(string uri)
    {
        if (Array.Find(LoopbackHosts, host => uri.StartsWith(host, StringComparison.Ordinal)) is not { } found)
            return null;
        var rest = uri.AsSpan(found.Length);
        if (rest.StartsWith(":"))
        {
            var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 5 || !ushort.TryParse(rest[1..][..digits], out _))
                return null;
            rest = rest[(digits + 1)..];
        }
        return rest.StartsWith("/") ? (found, rest.ToString()) : null;
    }
}
