using Microsoft.Extensions.Options;

namespace Sloring.Hosting;

/// <summary>The three switches that choose the world. Each is read in one place.</summary>
public sealed class Switches
{
    /// <summary>"sqlite" or "postgres".</summary>
    public string Database { get; set; } = "sqlite";

    /// <summary>"embedded" or "dapr".</summary>
    public string Events { get; set; } = "embedded";

    /// <summary>"inmemory" or "rabbitmq".</summary>
    public string Edge { get; set; } = "inmemory";
}

internal sealed class SwitchesCheck : IValidateOptions<Switches>
{
    public ValidateOptionsResult Validate(string? name, Switches options)
    {
        var wrong = new[]
        {
            Check(nameof(Switches.Database), options.Database, "sqlite", "postgres"),
            Check(nameof(Switches.Events), options.Events, "embedded", "dapr"),
            Check(nameof(Switches.Edge), options.Edge, "inmemory", "rabbitmq"),
        }.OfType<string>().ToList();
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static string? Check(string name, string value, string here, string distributed) =>
        value == here || value == distributed ? null : $"{name} has an unknown value. Set {name}={here} or {name}={distributed}.";
}
