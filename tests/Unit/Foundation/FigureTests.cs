using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

public sealed class FigureTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Certificate_TellsItsDaysLeft_UnderTheSettingThatNamesIt()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var certificate = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(10));
        var (file, other) = (Path.GetTempFileName(), Path.GetTempFileName());
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem(), Cancel);
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Listen:Certificate"] = file,
            ["Soap:Issuers:demo:Certificates:old"] = other,
            ["Tokens:Clients:0:CertificateSubject"] = "CN=test",
        }).Build();
        var figures = new CertificateFigures(settings, TimeProvider.System);

        await figures.Look(Cancel);

        var told = Assert.Single(figures.Now());
        Assert.Equal((Metrics.CertificateRemaining, "Listen:Certificate"), (told.Metric, told.Tags.Single().Value));
        Assert.InRange(told.Value, 9.9, 10);
        File.Delete(file);
        File.Delete(other);
    }

    [Fact]
    public void Clock_TellsHowFarItIsAhead_ThoughTheDifferenceIsPassedOver()
    {
        var clock = new DatabaseClock(NullLogger<DatabaseClock>.Instance);
        var (figures, now) = (new ClockFigures(clock), DateTimeOffset.UtcNow);
        Assert.Empty(figures.Now());

        clock.Compare(now, now.AddSeconds(-0.4), now.AddMilliseconds(1));

        Assert.Equal(0.4, Assert.Single(figures.Now()).Value, 3);
    }

    [Fact]
    public async Task FiguresThatCannotBeRead_AreNotTold()
    {
        var figures = new Failing();
        await figures.Look(Cancel);
        Assert.Single(figures.Now());

        figures.Fails = true;
        await Assert.ThrowsAsync<IOException>(() => figures.Look(Cancel));

        Assert.Empty(figures.Now());
    }

    private sealed class Failing : Figures<string>
    {
        public bool Fails { get; set; }

        protected override Task<string> Read(CancellationToken cancel) => Fails ? throw new IOException() : Task.FromResult("seen");

        protected override IEnumerable<Figure> Of(string seen) => [new Figure(Metrics.OpenCases, 1)];
    }
}
