using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Soap;

/// <summary>Wrong settings stop the start with a message that names the setting.</summary>
public sealed class SoapOptionsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("soap-").FullName;

    [Theory]
    [InlineData("Soap:Issuers:a:Name", "", "Soap:Issuers:a:Name")]
    [InlineData("Soap:Issuers:a:Certificates:one", "nowhere.pem", "Soap:Issuers:a:Certificates:one")]
    [InlineData("Soap:Issuers:a:Certificates:one", "small.pem", "Soap:Issuers:a:Certificates:one")]
    [InlineData("Soap:Issuers:a:Certificates:one", "elliptic.pem", "Soap:Issuers:a:Certificates:one")]
    [InlineData("Soap:Issuers:b:Name", "urn:a", "same Name")]
    [InlineData("Soap:Audience", "", "Soap:Audience")]
    [InlineData("Soap:ClockSkewSeconds", "301", "Soap:ClockSkewSeconds")]
    [InlineData("Soap:LongestDays", "732", "Soap:LongestDays")]
    [InlineData("Soap:PublicAddress", "here", "Soap:PublicAddress")]
    [InlineData("Soap:Namespace20230601", "", "Soap:Namespace20230601")]
    [InlineData("Soap:Clients:epj:Cvr", "29190624", "Soap:Clients:epj:Cvr")]
    [InlineData("Soap:Clients:epj:System", "", "Soap:Clients:epj:System")]
    [InlineData("Soap:Clients:epj:Operations:0", "DeleteAll", "'DeleteAll'")]
    [InlineData("Soap:Clients:epj:UnitSorId", "1", "Soap:Clients:epj:UnitSorId")]
    [InlineData("Soap:Clients:epj:Trigger", "unease", "Soap:Clients:epj:Trigger")]
    [InlineData("Soap:Clients:710190-1234:System", "x", "Soap:Clients")]
    public void AWrongSetting_IsNamed(string setting, string value, string named)
    {
        Write("good.pem", RSA.Create(2048));
        Write("small.pem", RSA.Create(1024));
        using (var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            using var certificate = new CertificateRequest("CN=x", curve, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
            File.WriteAllText(Path.Combine(_folder, "elliptic.pem"), certificate.ExportCertificatePem());
        }
        var settings = new Dictionary<string, string?>
        {
            ["Soap:Issuers:a:Name"] = "urn:a",
            ["Soap:Issuers:a:Certificates:one"] = "good.pem",
            ["Soap:Clients:epj:Cvr"] = "29190623",
            ["Soap:Clients:epj:System"] = "EPJ",
            ["Soap:Clients:epj:Operations:0"] = "CreateBlurring",
        };
        Assert.True(Validate(settings).Succeeded);
        settings[setting] = value;
        Assert.Contains(named, Validate(settings).FailureMessage, StringComparison.Ordinal);
    }

    private ValidateOptionsResult Validate(Dictionary<string, string?> settings)
    {
        var whole = settings.ToDictionary(pair => pair.Key, pair => pair.Value?.EndsWith(".pem", StringComparison.Ordinal) == true ? Path.Combine(_folder, pair.Value) : pair.Value);
        var options = new ConfigurationBuilder().AddInMemoryCollection(whole).Build().GetSection("Soap").Get<SoapOptions>()!;
        return new SoapOptionsCheck().Validate(null, options);
    }

    private void Write(string name, RSA key)
    {
        using (key)
        {
            using var certificate = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
            File.WriteAllText(Path.Combine(_folder, name), certificate.ExportCertificatePem());
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
