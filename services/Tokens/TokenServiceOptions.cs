using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>
/// Settings under <c>Tokens</c>; checked at start. Issuer and audience are not among them: they are <c>Token:Issuer</c> and
/// <c>Token:Audience</c>, which every process of the platform has, so that who issues and who checks cannot disagree.
/// </summary>
public sealed class TokenServiceOptions
{
    /// <summary>How long a token lives. Short, because an issued token cannot be called back.</summary>
    public int LifetimeSeconds { get; set; } = 300;

    /// <summary>Who may ask for tokens. Their secrets are not settings: they are in the secret store as <c>client/&lt;Id&gt;</c>.</summary>
    public IList<ClientOptions> Clients { get; } = [];
}

/// <summary>One client, or one persona: a client that acts as a named person.</summary>
public sealed class ClientOptions
{
    /// <summary>The client id, 1 to 64 characters of A-Z, a-z, 0-9 and . _ -</summary>
    public string Id { get; set; } = "";

    /// <summary>What people call it.</summary>
    public string Name { get; set; } = "";

    /// <summary>What it may do, at least one.</summary>
    public IList<string> Roles { get; } = [];

    /// <summary>The organisation it acts for; none for national parts.</summary>
    public string? Cvr { get; set; }

    /// <summary>The organisation's id of the person it acts as; never a CPR number.</summary>
    public string? PersonId { get; set; }

    /// <summary>SOR id of the person's unit.</summary>
    public string? UnitSorId { get; set; }
}

/// <summary>Says of every wrong setting what to set.</summary>
internal sealed class TokenServiceOptionsCheck : IValidateOptions<TokenServiceOptions>
{
    private const int LongestLife = 3_600;

    private static readonly string KnownRoles = string.Join(", ", Roles.All.Order(StringComparer.Ordinal));

    public ValidateOptionsResult Validate(string? name, TokenServiceOptions options)
    {
        var wrong = Service(options).Concat(options.Clients.SelectMany(Client)).Concat(Doubles(options.Clients)).ToList();
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static IEnumerable<string> Service(TokenServiceOptions options)
    {
        if (options.LifetimeSeconds is < 30 or > LongestLife)
            yield return $"Tokens:LifetimeSeconds must be 30 to {LongestLife}; 300 is the default.";
        if (options.Clients.Count == 0)
            yield return "Tokens:Clients is empty, so nobody could get a token. Set at least Tokens:Clients:0:Id and Tokens:Clients:0:Roles:0.";
    }

    private static IEnumerable<string> Client(ClientOptions client, int at)
    {
        var setting = $"Tokens:Clients:{at}";
        if (!IsId(client.Id))
            yield return $"{setting}:Id must be 1 to 64 characters of A-Z, a-z, 0-9 and . _ -, not beginning with a dot.";
        if (client.Roles.Count == 0)
            yield return $"{setting}:Roles is empty. Set at least one of: {KnownRoles}.";
        foreach (var role in client.Roles.Where(role => !Roles.All.Contains(role)))
            yield return $"{setting}:Roles has the unknown role \"{role}\". Set one of: {KnownRoles}.";
        if (client.Cvr is not null && !CvrNumber.TryParse(client.Cvr, out _))
            yield return $"{setting}:Cvr must be 8 digits with a right check digit. Leave it out for a client of no single organisation.";
        if (client.PersonId is not null && (!IsId(client.PersonId) || CprNumber.TryParse(client.PersonId, out _)))
            yield return $"{setting}:PersonId must be the organisation's own id of the person, 1 to 64 characters of A-Z, a-z, 0-9 and . _ -, "
                + "never a CPR number.";
        if (client.UnitSorId is not null && !SorId.IsValid(client.UnitSorId))
            yield return $"{setting}:UnitSorId must be a SOR id: 11 to 18 digits with a right check digit.";
        if (client.UnitSorId is not null && client.Cvr is null)
            yield return $"{setting}:UnitSorId is set without {setting}:Cvr. Set the CVR number of the unit's organisation too.";
    }

    private static IEnumerable<string> Doubles(IEnumerable<ClientOptions> clients) => clients
        .GroupBy(client => client.Id, StringComparer.Ordinal)
        .Where(same => same.Key.Length > 0 && same.Count() > 1)
        .Select(same => $"Tokens:Clients has {same.Count()} clients with the Id \"{same.Key}\". Give each its own.");

    // No colon: HTTP Basic ends the client id at the first one. No leading dot: the id is part of a file name in the secret store.
    private static bool IsId(string id) =>
        id is { Length: >= 1 and <= 64 } && id[0] != '.' && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
