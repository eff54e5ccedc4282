using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;

namespace Sloring.Hosting;

/// <summary><c>Settings:File</c>: a JSON file of further settings. It ranks over appsettings.json, under environment variables and the command line.</summary>
public static class SettingsFile
{
    /// <exception cref="InvalidOperationException">Settings:File names no file: the message says what to set.</exception>
    public static void AddSettingsFile(this ConfigurationManager configuration)
    {
        if (configuration["Settings:File"] is not { Length: > 0 } path)
            return;
        if (!File.Exists(path))
            throw new InvalidOperationException($"Settings:File does not name an existing file ({path}). Set it to the path of a JSON file of settings, or leave it out.");
        var file = new JsonConfigurationSource { Path = Path.GetFullPath(path) };
        file.ResolveFileProvider();
        // DOTNET_ and ASPNETCORE_ come first; the one without a prefix is where a process's own settings begin.
        var sources = configuration.Sources.ToList();
        var own = sources.FindIndex(source => source is EnvironmentVariablesConfigurationSource { Prefix: null or "" });
        configuration.Sources.Insert(own < 0 ? sources.Count : own, file);
    }
}
