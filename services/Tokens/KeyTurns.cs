namespace Sloring.Tokens;

/// <summary>When a signing key is in use.</summary>
/// <param name="Id">RFC 7638 thumbprint.</param>
/// <param name="From">When it begins to sign; the first key's is the beginning of time.</param>
public readonly record struct KeyTurn(string Id, DateTimeOffset From);

/// <summary>Which key signs and which are listed: a pure function of the time, so that replicas agree without a word.</summary>
public static class KeyTurns
{
    /// <summary>The key that signs: the last whose turn has come.</summary>
    public static KeyTurn Current(IReadOnlyList<KeyTurn> turns, DateTimeOffset now) => turns.Last(turn => turn.From <= now);

    /// <summary>The keys that are listed: those to come, the current, and those of which tokens may still be about.</summary>
    /// <param name="turns">Oldest first.</param>
    /// <param name="now">The time.</param>
    /// <param name="overlap">How long a key is listed after its last signature: longer than any token lives.</param>
    public static IReadOnlyList<KeyTurn> Listed(IReadOnlyList<KeyTurn> turns, DateTimeOffset now, TimeSpan overlap) =>
        [.. turns.Where((_, at) => at == turns.Count - 1 || turns[at + 1].From + overlap > now)];

    /// <summary>Whether a key waits for its turn.</summary>
    public static bool IsUnderWay(IReadOnlyList<KeyTurn> turns, DateTimeOffset now) => turns[^1].From > now;
}
