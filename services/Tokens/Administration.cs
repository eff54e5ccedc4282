using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Tokens.V1;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>What operators do: revoke clients and change keys. Each leaves a line in the log that names the operator and the client, both no secrets.</summary>
internal sealed class Administration(Clients clients, TokenState state, TokenSigner signer, IOptions<TokenServiceOptions> options, TimeProvider clock, ILogger<Administration> log)
{
    /// <summary>No new tokens from now on; those there are, every service refuses within Token:RefreshSeconds.</summary>
    public async Task<ClientStatus> Revoke(RevokeClientRequest request, Caller caller, CancellationToken cancel)
    {
        Known(request.ClientId);
        var now = clock.GetUtcNow();
        var ids = Ids(request.ClientId);
        await state.Change(was => was with { Revoked = was.Revoked.SetItems(ids.Select(id => KeyValuePair.Create(id, now))), Restored = was.Restored.Except(ids) }, cancel);
        log.LogWarning("{Operator} revoked client {Client}", caller.Actor, request.ClientId);
        return Status(request.ClientId);
    }

    /// <summary>New tokens again, from the next second on. Those from before stay refused, as whoever stole one still has it.</summary>
    public async Task<ClientStatus> Restore(RestoreClientRequest request, Caller caller, CancellationToken cancel)
    {
        Known(request.ClientId);
        await state.Change(
            was =>
            {
                var (ids, now) = (Ids(request.ClientId).Where(was.IsRevoked).ToList(), clock.GetUtcNow());
                return was with { Revoked = was.Revoked.SetItems(ids.Select(id => KeyValuePair.Create(id, now))), Restored = was.Restored.Union(ids) };
            },
            cancel);
        log.LogWarning("{Operator} restored client {Client}", caller.Actor, request.ClientId);
        return Status(request.ClientId);
    }

    public async Task<SigningKeys> Rotate(Caller caller, CancellationToken cancel)
    {
        await signer.Rotate(cancel);
        log.LogWarning("{Operator} made the next signing key", caller.Actor);
        return List();
    }

    public SigningKeys List()
    {
        var (listed, current) = signer.Turns();
        return new SigningKeys
        {
            Keys =
            {
                listed.Select(turn => new SigningKey
                {
                    KeyId = turn.Id,
                    State = turn.Id == current.Id ? "current" : turn.From > current.From ? "next" : "previous",
                    InUseFrom = turn.From == DateTimeOffset.MinValue ? null : Timestamp.FromDateTimeOffset(turn.From),
                }),
            },
        };
    }

    private void Known(string id)
    {
        if (!clients.Has(id) && !IsOfNationalWire(id) && clients.Personas.All(persona => RevocationList.Person(persona.PersonId!) != id) && !IsOfProvider(id))
            throw new RejectedException(Rejections.ClientNotFound.For("client_id"));
    }

    /// <summary>Whom a provider knows is not known here before they come.</summary>
    private bool IsOfProvider(string id) => options.Value.SignIn == SignInWays.OpenId
        && id.StartsWith(RevocationList.Person(""), StringComparison.Ordinal) && TokenServiceOptionsCheck.IsPersonId(id[RevocationList.Person("").Length..]);

    /// <summary>Its clients are settings of the services that it reaches.</summary>
    private static bool IsOfNationalWire(string id) =>
        id.StartsWith(RevocationList.SoapClient(""), StringComparison.Ordinal) && TokenServiceOptionsCheck.IsPersonId(id[RevocationList.SoapClient("").Length..]);

    /// <summary>With a persona goes the person: who has signed in as them has tokens of another client.</summary>
    private string[] Ids(string id) => clients.Find(id)?.PersonId is { } person ? [id, RevocationList.Person(person)] : [id];

    private ClientStatus Status(string id)
    {
        var now = state.Now();
        return new ClientStatus
        {
            ClientId = id,
            Revoked = now.IsRevoked(id),
            RefusedUpTo = now.RefusedUpTo(id) is { } upTo ? Timestamp.FromDateTimeOffset(upTo) : null,
        };
    }
}

/// <summary>The rpcs, each handed to its use case.</summary>
internal sealed class TokenRpcs(Administration administration) : TokenAdministration.TokenAdministrationBase
{
    [Authorize(Operations.RevokeClient)]
    public override Task<ClientStatus> RevokeClient(RevokeClientRequest request, ServerCallContext context) =>
        administration.Revoke(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.RestoreClient)]
    public override Task<ClientStatus> RestoreClient(RestoreClientRequest request, ServerCallContext context) =>
        administration.Restore(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.RotateSigningKey)]
    public override Task<SigningKeys> RotateSigningKey(RotateSigningKeyRequest request, ServerCallContext context) =>
        administration.Rotate(context.Caller(), context.CancellationToken);

    [Authorize(Operations.ListSigningKeys)]
    public override Task<SigningKeys> ListSigningKeys(ListSigningKeysRequest request, ServerCallContext context) => Task.FromResult(administration.List());
}
