using System.Globalization;
using Grpc.Core;
using Sloring.Contracts.Registration.V1;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>What a caller sees of a failure that nobody foresaw, on each wire: a number, and nothing of how the platform is made.</summary>
public sealed class FailureTests(SoapTests.Stage stage) : IClassFixture<SoapTests.Stage>
{
    private const string Failed = "SLR-908";

    [Fact]
    public async Task AFailure_IsANumberOnEveryWire_AndSaysNothingElse()
    {
        var (platform, path) = (stage.Flow.Platform, "/idsas-registration/20240124/registration");
        var create = $"""
            <CreateBlurringRequest xmlns="{new SoapOptions().Namespace20240124}"><patientId><id>{People.NextCpr()}</id><classification>CPR</classification></patientId><endDateTime>{stage.Flow.Now.AddDays(30).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}</endDateTime></CreateBlurringRequest>
            """;
        await TestDatabase.Execute(platform.Folder, "registration", "ALTER TABLE maskings RENAME TO gone_maskings");

        var (status, answer) = await stage.Flow.Send("epj-hovedstaden", HttpMethod.Get, "/v1/maskings", null);
        Assert.True((int)status is 500, $"{status}");
        Disclosure.Tells(Failed, answer.ToJsonString(), platform);
        (_, answer) = await stage.Flow.Send("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", stage.Flow.Activation(People.NextCpr()));
        Disclosure.Tells(Failed, answer.ToJsonString(), platform);

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await new RegistrationService.RegistrationServiceClient(platform.Channel).ListMaskingsAsync(new ListMaskingsRequest(), await platform.As("epj-hovedstaden"), cancellationToken: TestContext.Current.CancellationToken));
        Disclosure.Tells(Failed, error.Status.Detail + string.Concat(error.Trailers.Select(entry => entry.IsBinary ? System.Text.Encoding.UTF8.GetString(entry.ValueBytes) : entry.Value)), platform);

        Disclosure.Tells(Failed, await stage.Send(path, DemoIssuer.Envelope(stage.Ticket(), create)), platform);
    }
}
