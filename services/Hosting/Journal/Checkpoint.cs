using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sloring.Contracts.Events;
using Sloring.Contracts.Journal.V1;

namespace Sloring.Hosting;

/// <summary>What a journal was at one instant: the hash of its last entry covers all of it (rule O3).</summary>
/// <param name="Service">Whose journal.</param>
/// <param name="Position">Of the last entry.</param>
/// <param name="Hash">Of that entry, lower-case hex.</param>
/// <param name="At">When, UTC, whole milliseconds.</param>
public sealed record JournalState(string Service, long Position, string Hash, DateTimeOffset At);

/// <summary>When a checkpoint is due, and what one says of a journal.</summary>
internal static class CheckpointRules
{
    /// <summary>An entry gets its instant right after it is signed.</summary>
    private static readonly TimeSpan Signing = TimeSpan.FromMinutes(1);

    /// <summary>
    /// What an entry signs, where it says of itself what is signed: that it stands right behind the position, with that hash, at that instant. Null for an unreadable one, a bad
    /// signature, and for what was once rightly signed and is put where it does not belong: one from the future would be the last for ever.
    /// </summary>
    public static JournalState? Stated(JournalEntry entry, string service, CheckpointSigner signer) =>
        Said(entry) is { } said && signer.Open(said.Signed) is { } state
        && state.Service == service && state.Position == entry.Position - 1 && said.Position == state.Position && said.Hash == state.Hash
        && (entry.OccurredAt - state.At).Duration() <= Signing
            ? state
            : null;

    /// <summary>What an entry says without its signature being looked at; null where it cannot be read.</summary>
    public static JournalCheckpointed? Said(JournalEntry entry)
    {
        try
        {
            return EventJson.Read(entry.Type, entry.Data) as JournalCheckpointed;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Due once something has stood for so long in the journal without a checkpoint after it.</summary>
    /// <param name="since">When the last checkpoint was made, or the first entry where there is none; null for an empty journal.</param>
    /// <param name="grown">Whether anything but that checkpoint has come since.</param>
    /// <param name="every">Zero: never.</param>
    /// <param name="now">The instant.</param>
    public static bool IsDue(DateTimeOffset? since, bool grown, TimeSpan every, DateTimeOffset now) => every > TimeSpan.Zero && grown && since + every <= now;

    /// <summary>What is wrong with a journal by one checkpoint; nothing where it holds.</summary>
    /// <param name="checkpoint">Null: its signature does not hold.</param>
    /// <param name="service">Whose journal.</param>
    /// <param name="erasedTo">Up to here it is erased: a checkpoint of before cannot be compared any more.</param>
    /// <param name="end">Position of its last entry.</param>
    /// <param name="hashAt">Its hash at the checkpoint's position; null where there is no entry.</param>
    public static JournalFault Fault(JournalState? checkpoint, string service, long erasedTo, long end, string? hashAt) =>
        checkpoint is null || checkpoint.Service != service || checkpoint.Position < 1 ? JournalFault.CheckpointForged
        : checkpoint.Position < erasedTo ? JournalFault.Unspecified
        : checkpoint.Position > end ? JournalFault.Truncated
        : checkpoint.Hash != hashAt ? JournalFault.Rewritten
        : JournalFault.Unspecified;
}

/// <summary>Signs checkpoints, and statements of where a journal begins, and checks them: JWS in compact form, ES256, keys <c>checkpoint-key-&lt;id&gt;</c> of the secret store (P-256, PKCS #8 PEM).</summary>
public sealed class CheckpointSigner(SecretStore secrets)
{
    /// <summary>
    /// The type of a statement of where a journal begins. A checkpoint, which has none, says the same in the same form: with one of those anybody could take out
    /// all that lies before it.
    /// </summary>
    public const string Start = "journal-start";

    private readonly Lazy<KeyRing> _keys = new(() => new KeyRing(secrets, "checkpoint-key", NewKey));

    /// <exception cref="InvalidOperationException">The key in use is missing or is none: the message says what to set.</exception>
    public void CheckKey() => Import(_keys.Value.Current, _keys.Value.CurrentId).Dispose();

    /// <param name="state">What is signed.</param>
    /// <param name="type"><see cref="Start"/>, or null for a checkpoint.</param>
    public string Sign(JournalState state, string? type = null)
    {
        var header = Encoded(JsonSerializer.SerializeToUtf8Bytes(new Header("ES256", _keys.Value.CurrentId, type), EventJson.Options));
        var signed = $"{header}.{Encoded(JsonSerializer.SerializeToUtf8Bytes(state, EventJson.Options))}";
        using var key = Import(_keys.Value.Current, _keys.Value.CurrentId);
        return $"{signed}.{Encoded(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    /// <summary>What a checkpoint or statement says; null where it is not signed with one of the keys that are here, or is of another type.</summary>
    public JournalState? Open(string signed, string? type = null)
    {
        try
        {
            if (signed.Split('.') is not [var header, var payload, var signature]
                || JsonSerializer.Deserialize<Header>(Base64Url.DecodeFromChars(header), EventJson.Options) is not { Alg: "ES256", Kid: { } id } said
                || said.Typ != type
                || _keys.Value.Find(id) is not { } pem)
                return null;
            using var key = Import(pem, id);
            return key.VerifyData(Encoding.ASCII.GetBytes($"{header}.{payload}"), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256)
                ? JsonSerializer.Deserialize<JournalState>(Base64Url.DecodeFromChars(payload), EventJson.Options)
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    private static string NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    private static ECDsa Import(string pem, string id)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            // The reason might quote the key.
            throw new InvalidOperationException(
                $"The secret checkpoint-key-{id} is not a P-256 private key in PKCS #8 PEM. Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256");
        }
    }

    private static string Encoded(byte[] bytes) => Base64Url.EncodeToString(bytes);

    private sealed record Header(string Alg, string Kid, string? Typ);
}
