using System.Security.Cryptography;
using System.Text;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Keyed hashes of patients: the platform's own, and one key per outside client so that no two clients can compare lists.</summary>
public sealed class PatientKeys(SecretStore secrets)
{
    private readonly Lazy<byte[]> _platform = new(() => secrets.Key("patient-key"));
    private readonly Lazy<byte[]> _feeds = new(() => secrets.Key("feed-key"));

    /// <summary>The HMAC key of the platform's own patient keys; handed to platform services only.</summary>
    public byte[] PlatformFeedSecret => _platform.Value;

    /// <summary>The platform's key of a patient.</summary>
    public PatientKey Of(CprNumber cpr) => PatientKey.Compute(_platform.Value, cpr);

    /// <summary>A value that only this key gives, and that tells nothing of it.</summary>
    public string Check => Convert.ToHexStringLower(HMACSHA256.HashData(_platform.Value, "check"u8))[..32];

    /// <summary>The HMAC key of one outside client's patient keys.</summary>
    public byte[] FeedSecret(string clientId) => HMACSHA256.HashData(_feeds.Value, Encoding.UTF8.GetBytes("feed:" + clientId));
}
