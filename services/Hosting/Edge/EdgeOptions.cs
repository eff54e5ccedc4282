using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>The broker of the edge, and who its users are: section <c>Edge</c>, read where <c>Edge=rabbitmq</c>.</summary>
public sealed class EdgeOptions
{
    /// <summary>Address of the broker.</summary>
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>Its AMQP port; 5671 is usual with TLS.</summary>
    public int Port { get; set; } = 5672;

    /// <summary>The platform's own user; its password is the secret <c>rabbitmq/&lt;user&gt;</c>.</summary>
    public string User { get; set; } = "sloring";

    /// <summary>TLS 1.2 or later, with a certificate that names <see cref="Host"/>.</summary>
    public bool Tls { get; set; }

    /// <summary>Outside systems by the name of their broker user.</summary>
    public Dictionary<string, EdgeUser> Users { get; set; } = [];
}

/// <summary>An outside system.</summary>
public sealed class EdgeUser
{
    /// <summary>Its organisation, 8 digits.</summary>
    public string Cvr { get; set; } = "";

    /// <summary>"epj-adapter" or "data-source".</summary>
    public string Role { get; set; } = "";
}

internal sealed class EdgeOptionsCheck : IValidateOptions<EdgeOptions>
{
    public ValidateOptionsResult Validate(string? name, EdgeOptions options)
    {
        var wrong = new List<string>();
        if (options.Host.Length == 0 || options.Port is < 1 or > 65535)
            wrong.Add("Set Edge:Host and Edge:Port to the address of the broker.");
        if (options.User.Length == 0)
            wrong.Add("Set Edge:User to the platform's user at the broker.");
        foreach (var (user, mapped) in options.Users)
        {
            // The name is a word of routing keys and of regular expressions: nothing in it may mean anything there.
            if (user.Length > 64 || !user.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                wrong.Add("Name each of Edge:Users by a broker user of 1 to 64 letters, digits, - and _.");
            if (!CvrNumber.TryParse(mapped.Cvr, out _))
                wrong.Add($"Set Edge:Users:{user}:Cvr to the 8 digits of its organisation's CVR number.");
            if (mapped.Role is not (Roles.EpjAdapter or Roles.DataSource))
                wrong.Add($"Set Edge:Users:{user}:Role to {Roles.EpjAdapter} or {Roles.DataSource}.");
        }
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
