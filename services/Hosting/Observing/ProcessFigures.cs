using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;

namespace Sloring.Hosting;

/// <summary>How far this machine's clock is from the database's, where there is one to compare with.</summary>
internal sealed class ClockFigures(TimeProvider clock) : IFigures
{
    public Task Look(CancellationToken cancel) => Task.CompletedTask;

    public IEnumerable<Figure> Now() => clock is DatabaseClock { Skew: { } skew } ? [new Figure(Metrics.ClockSkew, skew.TotalSeconds)] : [];
}

/// <summary>When the certificates that the settings name expire, by whichever setting: our own and those of parties that we trust.</summary>
internal sealed class CertificateFigures(IConfiguration configuration, TimeProvider clock) : Figures<CertificateFigures.Seen>
{
    protected override Task<Seen> Read(CancellationToken cancel) => Task.FromResult(new Seen(
        [.. configuration.AsEnumerable().Where(setting => setting.Key.Contains("Certificate", StringComparison.OrdinalIgnoreCase) && File.Exists(setting.Value))
            .SelectMany(setting => Ends(setting.Value!).Select(end => (setting.Key, end)))]));

    protected override IEnumerable<Figure> Of(Seen seen) =>
        seen.Ends.Select(end => new Figure(Metrics.CertificateRemaining, (end.At - clock.GetUtcNow()).TotalDays, new KeyValuePair<string, object?>("setting", end.Setting)));

    /// <summary>The first of the file: those that lead from it to a root are their owners' care. None where the file holds no certificate.</summary>
    private static IEnumerable<DateTimeOffset> Ends(string file)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(file);
            return [certificate.NotAfter];
        }
        catch (CryptographicException)
        {
            return [];
        }
    }

    internal sealed record Seen(IReadOnlyList<(string Setting, DateTimeOffset At)> Ends);
}
