using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Dapr;
using Dapr.Client;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Sloring.Hosting;

/// <summary>Where secrets come from.</summary>
public sealed class SecretOptions
{
    /// <summary>Path of a JSON file {"name":"value"}; readable by its owner only.</summary>
    public string File { get; set; } = "";

    /// <summary>
    /// Path of a folder with a file per secret, as Kubernetes mounts a Secret; in a file's name '.' stands for the '/' of a secret's. For what runs before there is a sidecar.
    /// </summary>
    public string Folder { get; set; } = "";

    /// <summary>Name of the Dapr secret store to read from instead of a file, components/secretstore.yaml.</summary>
    public string Store { get; set; } = "";

    /// <summary>Name of the one secret in that store which holds all of the platform's, by key. In a key '.' stands for the '/' of a name.</summary>
    public string Name { get; set; } = "sloring";

    /// <summary>Makes secrets that are missing (embedded mode). Elsewhere a missing secret stops the start.</summary>
    public bool CreateMissing { get; set; }
}

/// <summary>The platform's secrets by name: keys (32 bytes, base64url) and texts.</summary>
public sealed class SecretStore(IOptions<SecretOptions> options, DaprClient? sidecar = null)
{
    /// <summary>A sidecar that starts beside its service is there within seconds; one that is not there after a minute will not come by waiting.</summary>
    private static readonly TimeSpan SidecarLimit = TimeSpan.FromSeconds(60);

    private const int KeyBytes = 32;

    private readonly Lock _lock = new();
    private Dictionary<string, string>? _secrets;

    /// <summary>A 256-bit key.</summary>
    /// <exception cref="InvalidOperationException">It is no such key: the message says what to set.</exception>
    public byte[] Key(string name)
    {
        var key = new byte[KeyBytes];
        return Base64Url.IsValid(Text(name), out var length) && length == KeyBytes && Base64Url.DecodeFromChars(Text(name), key) == KeyBytes
            ? key
            : throw new InvalidOperationException($"The secret '{name}' must be {KeyBytes} random bytes in base64url. Make one: openssl rand 32 | basenc --base64url | tr -d '='");
    }

    /// <summary>A secret text; 256 random bits where it is made here.</summary>
    public string Text(string name) => Text(name, () => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));

    /// <summary>A secret text that may be missing and is never made.</summary>
    public string? Find(string name)
    {
        lock (_lock)
            return All.GetValueOrDefault(NameThere(name));
    }

    /// <summary>The names of all secrets that begin so.</summary>
    public IReadOnlyList<string> Names(string beginning)
    {
        lock (_lock)
            return [.. All.Keys.Where(name => name.StartsWith(beginning, StringComparison.Ordinal))];
    }

    /// <summary>A secret text of a form of its own.</summary>
    /// <exception cref="InvalidOperationException">It is missing and may not be made: the message says what to set.</exception>
    public string Text(string name, Func<string> make)
    {
        lock (_lock)
        {
            if (All.TryGetValue(NameThere(name), out var secret))
                return secret;
            if (options.Value.Store.Length > 0)
            {
                throw new InvalidOperationException(
                    $"The key '{NameThere(name)}' is missing from the secret '{options.Value.Name}' of the Dapr secret store '{options.Value.Store}'. Add it there.");
            }
            if (options.Value.Folder.Length > 0)
                throw new InvalidOperationException($"The secret '{name}' is missing from the folder that Secrets:Folder names. Add a file '{NameThere(name)}' there.");
            if (!options.Value.CreateMissing)
                throw new InvalidOperationException($"The secret '{name}' is missing from the file that Secrets:File names. Add it there.");
            All[name] = secret = make();
            Save();
            return secret;
        }
    }

    /// <summary>Under the lock only.</summary>
    private Dictionary<string, string> All => _secrets ??= options.Value.Store.Length > 0 ? LoadFromSidecar() : options.Value.Folder.Length > 0 ? LoadFolder() : Load();

    private string NameThere(string name) => options.Value.Store.Length > 0 || options.Value.Folder.Length > 0 ? name.Replace('/', '.') : name;

    private Dictionary<string, string> LoadFolder() => Directory.Exists(options.Value.Folder)
        ? Directory.EnumerateFiles(options.Value.Folder).ToDictionary(file => Path.GetFileName(file), System.IO.File.ReadAllText)
        : throw new InvalidOperationException($"Secrets:Folder does not name an existing folder ({options.Value.Folder}).");

    private Dictionary<string, string> Load()
    {
        var path = options.Value.File;
        if (!System.IO.File.Exists(path))
            return options.Value.CreateMissing ? [] : throw new InvalidOperationException($"Secrets:File does not name an existing file ({path}).");
        return JsonSerializer.Deserialize<Dictionary<string, string>>(System.IO.File.ReadAllText(path))
            ?? throw new InvalidOperationException($"The secrets file {path} is empty; it must hold a JSON object.");
    }

    /// <summary>Read once, at the start, by whoever asks first: the rest of the start needs what it waits for here.</summary>
    private Dictionary<string, string> LoadFromSidecar() => Task.Run(async () =>
    {
        var (store, name) = (options.Value.Store, options.Value.Name);
        using var limit = new CancellationTokenSource(SidecarLimit);
        try
        {
            await sidecar!.WaitForSidecarAsync(limit.Token);
            return await sidecar.GetSecretAsync(store, name, cancellationToken: limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new InvalidOperationException(
                $"The Dapr sidecar was not healthy within {SidecarLimit.TotalSeconds:0} s, so Secrets:Store={store} cannot be read. Start the sidecar of this service, "
                + "and set DAPR_HTTP_PORT and DAPR_GRPC_PORT to its ports.");
        }
        catch (DaprException e)
        {
            throw new InvalidOperationException(
                $"The secret '{name}' cannot be read from the Dapr secret store '{store}' ({(e.InnerException as RpcException)?.StatusCode}). Check components/secretstore.yaml, "
                + "the secret scopes in components/config.yaml, DAPR_API_TOKEN, and the settings Secrets:Store and Secrets:Name.");
        }
    }).GetAwaiter().GetResult();

    /// <summary>Written beside and renamed, 0600 from the first byte: a crash leaves the old file, and nobody else ever reads it.</summary>
    private void Save()
    {
        var path = options.Value.File;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var next = path + ".next";
        System.IO.File.Delete(next);
        var owner = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            owner.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(next, owner))
        {
            JsonSerializer.Serialize(file, _secrets, SecretJson.Indented);
            file.Flush(flushToDisk: true);
        }
        System.IO.File.Move(next, path, overwrite: true);
    }

    private static class SecretJson
    {
        public static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    }
}
