using Google.Protobuf;
using Sloring.Contracts;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>A request that was accepted under an idempotency key, and its answer (rule M9).</summary>
public sealed class AcceptedRequest
{
    /// <summary>Keyed hash of organisation and key: a sender may put anything into a key.</summary>
    public required string KeyHash { get; init; }

    /// <summary>Keyed hash of the content.</summary>
    public required string ContentHash { get; init; }

    /// <summary>The masking or department masking that it was about: what was accepted is kept for as long as that.</summary>
    public Guid About { get; set; }

    /// <summary>The answer, sealed: a nomination's holds its grounds.</summary>
    public string SealedAnswer { get; set; } = "";
}

/// <summary>
/// Tells a repeat from a new request (rule M9). Keys are unique per organisation, not per client: an organisation that moves from one
/// EPJ adapter to another may deliver again what the first one had not seen confirmed.
/// </summary>
public sealed class Repeats(SecretStore secrets, Sealer sealer)
{
    private const int ShortestKey = 8;

    private static readonly Lookup<RegistrationDb, string, AcceptedRequest> ByKey = new(accepted => accepted.KeyHash, [nameof(AcceptedRequest.KeyHash)]);

    private readonly Lazy<byte[]> _key = new(() => secrets.Key("repeat-key"));

    /// <summary>Describes a request by its key and the whole of its content.</summary>
    public AcceptedRequest Of(CvrNumber cvr, string idempotencyKey, params ReadOnlySpan<string?> content)
    {
        var key = Texts.Id(idempotencyKey, Rejections.IdempotencyKeyInvalid, "idempotency_key", ShortestKey);
        return new AcceptedRequest
        {
            KeyHash = ContentHash.Of(_key.Value, cvr.ToString(), key),
            ContentHash = ContentHash.Of(_key.Value, content),
        };
    }

    /// <summary>Names the row of a request, for a write that says what it touches.</summary>
    public static Row<RegistrationDb> Row(AcceptedRequest request) => ByKey.Row(request.KeyHash);

    /// <summary>The answer that the same request had before; null for a new one.</summary>
    /// <exception cref="RejectedException">SLR-107: the key was used for other content.</exception>
    public async Task<TAnswer?> Answered<TAnswer>(WriteScope<RegistrationDb> scope, AcceptedRequest request)
        where TAnswer : class, IMessage<TAnswer>, new()
    {
        if (await scope.Find(ByKey, request.KeyHash) is not { } before)
            return null;
        if (before.ContentHash != request.ContentHash)
            throw new RejectedException(Rejections.IdempotencyKeyReused.For("idempotency_key"));
        var answer = Convert.FromBase64String(sealer.Open(before.SealedAnswer, SealedFor.Note));
        return new MessageParser<TAnswer>(() => new TAnswer()).ParseFrom(answer);
    }

    /// <summary>Keeps the answer of a request just accepted.</summary>
    public void Keep(WriteScope<RegistrationDb> scope, AcceptedRequest request, Guid about, IMessage answer)
    {
        request.About = about;
        request.SealedAnswer = sealer.Seal(Convert.ToBase64String(answer.ToByteArray()), SealedFor.Note);
        scope.Insert(request);
    }
}
