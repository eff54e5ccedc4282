using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Sloring.Cluster;

/// <summary>
/// The cluster's secrets, made at first start: <c>secrets.json</c> {"name":"value"}, and the same as the one multi-key secret that the
/// sidecars' secret store hands out (<c>dapr-secrets.json</c>; a dot for each slash, since Kubernetes allows no slash in a key).
/// </summary>
public sealed class ClusterSecrets
{
    /// <summary>The platform's own key names: what services/ reads from its secret store beside clients' and servers' passwords.</summary>
    public static readonly IReadOnlyList<string> Keys = ["patient-key", "feed-key", "repeat-key", "sealing-key-1"];

    /// <summary>The tokens between a process and its sidecar. They stay out of the secret store: who reads that has shown one already.</summary>
    public const string DaprApiToken = "dapr/api-token", AppApiToken = "dapr/app-token";

    /// <summary>PostgreSQL's superuser on Kubernetes, where the server is given one. No service reads it.</summary>
    public const string Superuser = "postgres.superuser";

    private readonly SortedDictionary<string, string> _all;

    private ClusterSecrets(string file, SortedDictionary<string, string> all) => (File, _all) = (file, all);

    /// <summary>The flat file.</summary>
    public string File { get; }

    public string this[string name] => _all.TryGetValue(name, out var secret) ? secret : throw new ClusterException($"The secret {name} is not in {File}.");

    /// <summary>Reads the file in <paramref name="folder"/> and makes what is missing.</summary>
    /// <param name="folder">Where it stands.</param>
    /// <param name="name">Name of the multi-key secret.</param>
    /// <param name="services">Services with a database.</param>
    /// <param name="clients">Clients of the token service, and of the broker alone.</param>
    public static ClusterSecrets Open(string folder, string name, IEnumerable<string> services, IEnumerable<string> clients)
    {
        var path = Path.Combine(folder, "secrets.json");
        var all = System.IO.File.Exists(path)
            ? JsonSerializer.Deserialize<SortedDictionary<string, string>>(System.IO.File.ReadAllText(path))!
            : [];
        string[] random =
        [
            .. Keys, .. services.Select(service => "postgres/" + service), .. clients.Select(client => "client/" + client),
            "rabbitmq/sloring", "rabbitmq/dapr", DaprApiToken, AppApiToken, Superuser,
        ];
        foreach (var missing in random)
            all.TryAdd(missing, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));
        foreach (var missing in ((string[])["token-signing-key", "checkpoint-key-1"]).Where(name => !all.ContainsKey(name)))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            all[missing] = key.ExportPkcs8PrivateKeyPem();
        }
        Write(path, all);
        Write(Path.Combine(folder, "dapr-secrets.json"), new Dictionary<string, Dictionary<string, string>>
        {
            [name] = InStore(all),
        });
        return new ClusterSecrets(path, all);
    }

    /// <summary>What the secret store hands out, as one secret of many keys.</summary>
    public IReadOnlyDictionary<string, string> Store => InStore(_all);

    private static Dictionary<string, string> InStore(SortedDictionary<string, string> all) =>
        all.Where(pair => pair.Key is not (DaprApiToken or AppApiToken or Superuser)).ToDictionary(pair => pair.Key.Replace('/', '.'), pair => pair.Value);

    private static void Write<T>(string path, T secrets)
    {
        var next = path + ".next";
        System.IO.File.Delete(next);
        using (var file = new FileStream(next, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            JsonSerializer.Serialize(file, secrets, Indented);
            file.Flush(flushToDisk: true);
        }
        System.IO.File.Move(next, path, overwrite: true);
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
}
