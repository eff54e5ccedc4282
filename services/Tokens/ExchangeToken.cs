using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>
/// Token exchange (RFC 8693): a citizen's bootstrap token → an identity token for one audience, with what that audience needs to mask by itself. The masking
/// follows the person whose data is shown, not the one who has signed in (rule E4); without a fresh picture there is no token (rule E7).
/// </summary>
internal sealed class ExchangeToken(
    IdentityProviders providers, TokenSigner signer, IOptions<TokenServiceOptions> options, IServiceProvider services, TimeProvider clock)
{
    public const string Grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    public const string JwtType = "urn:ietf:params:oauth:token-type:jwt";

    /// <summary>The <c>typ</c> of identity tokens: none of the platform's own services takes one for an access token.</summary>
    public const string TokenKind = "sloring-identity+jwt";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, Encryption?> _keys = options.Value.Audiences.ToDictionary(
        audience => audience.Id, audience => audience.Key.Length > 0 ? Encryption.ReadKey(TokenServiceOptionsCheck.TextOrFile(audience.Key)) : null);

    public async Task<TokenAnswer> Handle(ClientOptions client, TokenRequest request, CancellationToken cancel)
    {
        if (client.Audiences.Count == 0)
            throw new RejectedException(Rejections.ExchangeNotAllowed);
        Check(request);
        var audience = Target(client, request.Audience);
        // One that has a certificate for SAML alone gets no JWT in the clear.
        if (_keys[audience.Id] is null && !audience.AllowUnencrypted)
            throw new RejectedException(Rejections.TargetInvalid.For("audience"));
        var bootstrap = await providers.Read(request.SubjectToken, cancel);
        var granted = await Assess(client, audience, bootstrap, request.OnBehalfOf, cancel);
        var (relation, life) = (granted.Relation, granted.Life);
        var claims = new Dictionary<string, object>
        {
            ["client_id"] = client.Id,
            ["cpr"] = granted.Shown.Digits,
            ["masking"] = JsonSerializer.SerializeToElement(Write(granted.Instructions, granted.Salt)),
        };
        if (relation is not null)
        {
            claims["act"] = JsonSerializer.SerializeToElement(new JsonObject
            {
                ["sub"] = bootstrap.Subject,
                ["cpr"] = bootstrap.Citizen.Digits,
                ["relation"] = relation.Name,
                ["relation_urn"] = relation.Urn,
            });
        }
        // The subject is whose data is shown, by the provider's own id; of somebody acted for it gives none.
        var signed = signer.Sign(TokenKind, relation is null ? bootstrap.Subject : null, audience.Id, life, claims);
        return new TokenAnswer(_keys[audience.Id]?.Encrypt(signed) ?? signed, "N_A", (int)life.TotalSeconds, null, JwtType);
    }

    /// <summary>The audience that a client asks for, if it may.</summary>
    /// <exception cref="RejectedException">SLR-610, SLR-611.</exception>
    public AudienceOptions Target(ClientOptions client, string id)
    {
        if (client.Audiences.Count == 0)
            throw new RejectedException(Rejections.ExchangeNotAllowed);
        return client.Audiences.Contains(id) && options.Value.Audiences.FirstOrDefault(known => known.Id == id) is { } audience
            ? audience
            : throw new RejectedException(Rejections.TargetInvalid.For("audience"));
    }

    /// <summary>What an identity token will say, in whatever form it is written: the same rules for JWT and SAML.</summary>
    /// <param name="client">The app.</param>
    /// <param name="audience">Whom it is for.</param>
    /// <param name="bootstrap">Who has signed in.</param>
    /// <param name="onBehalfOf">For whom they look, as a URN that the bootstrap token asserts; empty for themselves.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RejectedException">SLR-612: the bootstrap token has ended meanwhile; SLR-614; SLR-615.</exception>
    public async Task<Granted> Assess(ClientOptions client, AudienceOptions audience, Bootstrap bootstrap, string onBehalfOf, CancellationToken cancel)
    {
        var relation = onBehalfOf.Length == 0 ? null
            : Relation.Asserted(onBehalfOf, bootstrap.ActsFor) ?? throw new RejectedException(Rejections.RelationNotAsserted.For("on_behalf_of"));
        var shown = relation?.Person ?? bootstrap.Citizen;
        var (instructions, salt) = await Masking(shown, client, cancel);
        var left = bootstrap.Ends - clock.GetUtcNow();
        var life = TimeSpan.FromSeconds(Math.Floor(Math.Min(audience.LifetimeSeconds, left.TotalSeconds)));
        return life > TimeSpan.Zero
            ? new Granted(bootstrap, relation, shown, instructions, salt, life)
            : throw new RejectedException(Rejections.SubjectTokenInvalid.For("subject_token"));
    }

    private static void Check(TokenRequest request)
    {
        if (request.SubjectToken.Length == 0)
            throw new RejectedException(Rejections.TokenRequestInvalid.For("subject_token"));
        if (request.SubjectTokenType != JwtType)
            throw new RejectedException(Rejections.TokenRequestInvalid.For("subject_token_type"));
        if (request.RequestedTokenType is not ("" or JwtType))
            throw new RejectedException(Rejections.TokenRequestInvalid.For("requested_token_type"));
        // Who acts stands in the citizen's token; what may be done is the audience's to say.
        if (request.HasActor)
            throw new RejectedException(Rejections.TokenRequestInvalid.For("actor_token"));
        if (request.Scope.Length > 0)
            throw new RejectedException(Rejections.ScopeInvalid.For("scope"));
        if (request.HasResource || request.Audience.Length == 0)
            throw new RejectedException(Rejections.TargetInvalid.For("audience"));
    }

    /// <summary>What is masked for a person, and the salt, both as they are now.</summary>
    private async Task<(MaskingInstructions Instructions, Salt Salt)> Masking(CprNumber shown, ClientOptions client, CancellationToken cancel)
    {
        try
        {
            var headers = new Metadata { { Caller.ForHeader, client.Id } };
            var deadline = DateTime.UtcNow + Patience;
            using var asking = services.GetRequiredKeyedService<EffectuationService.EffectuationServiceClient>(TokensModule.Name)
                .GetMaskingInstructionsAsync(new GetMaskingInstructionsRequest { PatientCpr = shown.Digits }, headers, deadline, cancel);
            using var salting = services.GetRequiredKeyedService<PseudonymService.PseudonymServiceClient>(TokensModule.Name)
                .GetCurrentSaltAsync(new GetCurrentSaltRequest(), deadline: deadline, cancellationToken: cancel);
            await Task.WhenAll(asking.ResponseAsync, salting.ResponseAsync);
            return (await asking.ResponseAsync, await salting.ResponseAsync);
        }
        catch (RpcException)
        {
            throw new RejectedException(Rejections.InstructionsUnavailable);
        }
    }

    private static JsonObject Write(MaskingInstructions instructions, Salt salt) => new()
    {
        ["organisations"] = new JsonArray([.. instructions.Organisations.Select(masked => new JsonObject { ["cvr"] = masked.Cvr, ["ends_at"] = masked.EndsAt.Seconds })]),
        ["units"] = new JsonArray([.. instructions.Units.Select(unit => new JsonObject { ["classification"] = unit.Classification, ["id"] = unit.Id })]),
        ["salt"] = new JsonObject { ["id"] = salt.SaltId, ["value"] = salt.Value, ["valid_from"] = salt.ValidFrom.Seconds },
    };
}

/// <summary>What an identity token says.</summary>
/// <param name="Bootstrap">Who has signed in.</param>
/// <param name="Relation">On what ground they look at another's data; null where it is their own.</param>
/// <param name="Shown">The person whose data is shown.</param>
/// <param name="Instructions">Who masks towards that person, and towards everybody.</param>
/// <param name="Salt">The salt in use.</param>
/// <param name="Life">How long the token lives.</param>
internal sealed record Granted(Bootstrap Bootstrap, Relation? Relation, CprNumber Shown, MaskingInstructions Instructions, Salt Salt, TimeSpan Life);
