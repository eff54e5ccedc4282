namespace Sloring.Hosting;

/// <summary>
/// The keys of one purpose in the secret store: <c>&lt;name&gt;-&lt;id&gt;</c>, of which <c>&lt;name&gt;-current</c> names the one in use ("1" where it is
/// left out). The others stay for what was made with them.
/// </summary>
public sealed class KeyRing(SecretStore secrets, string name, Func<string> make)
{
    private const string NamesCurrent = "current";

    /// <summary>Id of the key that new things are made with.</summary>
    /// <exception cref="InvalidOperationException">It is no id: the message says what one is.</exception>
    public string CurrentId { get; } = (secrets.Find($"{name}-{NamesCurrent}") ?? "1") is var id && IsId(id)
        ? id
        : throw new InvalidOperationException($"The secret {name}-current is not the id of a key: 1 to 32 letters and digits.");

    /// <summary>The key in use.</summary>
    /// <exception cref="InvalidOperationException">It is missing and may not be made: the message says what to set.</exception>
    public string Current => secrets.Text($"{name}-{CurrentId}", make);

    /// <summary>A key by its id, whoever says it; null when it is not here. What names the current key is no key: everybody can read the id in what is sealed.</summary>
    public string? Find(string id) => id == CurrentId ? Current : IsId(id) ? secrets.Find($"{name}-{id}") : null;

    /// <summary>The ids of all keys that are here, that of the current one too.</summary>
    public IReadOnlyList<string> Ids => [.. secrets.Names($"{name}-").Select(found => found[(name.Length + 1)..]).Where(IsId).Append(CurrentId).Distinct()];

    private static bool IsId(string id) => id is { Length: > 0 and <= 32 } and not NamesCurrent && id.All(char.IsAsciiLetterOrDigit);
}
