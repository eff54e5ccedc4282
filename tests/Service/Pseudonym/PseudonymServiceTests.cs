using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Hosting;
using Sloring.Pseudonym;
using Sloring.Tests.Service.Tokens;
using Xunit;

namespace Sloring.Tests.Service.Pseudonym;

/// <summary>Salts, pseudonyms (rule E3) and access requests (rules C2, O3), over gRPC and HTTP with real tokens.</summary>
public sealed class PseudonymServiceTests : IAsyncLifetime
{
    private const string Patient = "2512489996";
    private const string Purpose = "Aktindsigt, sag 2026-117";
    private readonly TokenHost _host = new();
    private GrpcChannel _channel = null!;
    private PseudonymService.PseudonymServiceClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        _channel = GrpcChannel.ForAddress(_host.GrpcAddress);
        _client = new PseudonymService.PseudonymServiceClient(_channel);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _host.DisposeAsync();
    }

    // E3: the salt's BASE64 text is used as it stands.
    [Fact]
    public async Task ManyNeedTheFirstSalt_OneIsMade()
    {
        var source = await As("source");
        var salts = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => _client.GetCurrentSaltAsync(new GetCurrentSaltRequest(), source, cancellationToken: Cancel).ResponseAsync));

        Assert.Single(salts.Distinct());
        Assert.Equal(1, salts[0].SaltId);
        Assert.Equal(32, Convert.FromBase64String(salts[0].Value).Length);
        var made = Assert.Single(await Journal());
        Assert.Equal("salt.rotated.v1", made.Type);
        Assert.DoesNotContain(salts[0].Value, made.Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FirstSaltLeftToOperations_NoSaltUntilOneIsMade()
    {
        await using var host = new TokenHost();
        host.Set("Pseudonym:CreateFirstSalt", "false");
        await host.InitializeAsync();

        var (status, problem) = await Http(host, "source", HttpMethod.Get, "/v1/salt");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("SLR-401", problem.GetProperty("code").GetString());
        Assert.Equal(1, (await Http(host, "operator", HttpMethod.Post, "/v1/salt/rotation")).Body.GetProperty("saltId").GetInt32());
        Assert.Equal(HttpStatusCode.OK, (await Http(host, "source", HttpMethod.Get, "/v1/salt")).Status);
    }

    [Fact]
    public async Task Restarted_SaltIsTheSameAndLiesSealedInTheDatabase()
    {
        var before = await _client.GetCurrentSaltAsync(new GetCurrentSaltRequest(), await As("source"), cancellationToken: Cancel);
        var row = await Store.Read(db => db.Salts.SingleAsync(Cancel), Cancel);
        Assert.DoesNotContain(before.Value, row.Sealed, StringComparison.Ordinal);

        await using var again = new TokenHost();
        again.Set("Data:Folder", _host.Folder);
        again.SecretsFile = Path.Combine(_host.Folder, "secrets.json");
        await again.InitializeAsync();
        var (_, after) = await Http(again, "source", HttpMethod.Get, "/v1/salt");

        Assert.Equal(before.Value, after.GetProperty("value").GetString());
        Assert.Equal(before.ValidFrom.ToDateTimeOffset(), after.GetProperty("validFrom").GetDateTimeOffset());
    }

    // E3, E4
    [Fact]
    public async Task Computed_PseudonymsAreThoseOfTheNationalAlgorithm()
    {
        var source = await As("source");
        var salt = await _client.GetCurrentSaltAsync(new GetCurrentSaltRequest(), source, cancellationToken: Cancel);
        var computed = await _client.ComputeAsync(new ComputeRequest { PatientCpr = Patient, Names = { "Jens Hansen", "Søren Åge Bæk Møller" } }, source, cancellationToken: Cancel);

        Assert.True(CprNumber.TryParse(Patient, out var patient));
        Assert.Equal(salt.SaltId, computed.SaltId);
        Assert.Equal([NationalPseudonym.Compute("Jens Hansen", patient, salt.Value), NationalPseudonym.Compute("Søren Åge Bæk Møller", patient, salt.Value)], computed.Pseudonyms);
    }

    [Fact]
    public async Task Rotated_PseudonymsChangeAndSubscribersAreTold()
    {
        var before = await Shown("Jens Hansen");
        var rotated = await Rotate();

        Assert.Equal(2, rotated.SaltId);
        Assert.NotEqual(before, await Shown("Jens Hansen"));
        Assert.Equal(2, (await Journal()).Count(entry => entry.Type == "salt.rotated.v1"));
    }

    // E3: whoever keeps the salt has the next one days before its instant.
    [Fact]
    public async Task PeriodEnds_SaltWasAnnouncedAndChangesByItself()
    {
        var first = await Current();
        await Announce();
        _host.Clock.Move(TimeSpan.FromDays(83) - TimeSpan.FromMinutes(50));
        await Announce();

        var announced = await Current();
        Assert.Equal((1, first.Value), (announced.SaltId, announced.Value));
        Assert.Equal((2, first.ValidFrom.ToDateTimeOffset().AddDays(90)), (announced.Next.SaltId, announced.Next.ValidFrom.ToDateTimeOffset()));
        Assert.Null(announced.Next.Next);
        var told = (SaltAnnounced)EventJson.Read("salt.announced.v1", Assert.Single(await Journal(), entry => entry.Type == "salt.announced.v1").Data);
        Assert.Equal((2, announced.Next.ValidFrom.ToDateTimeOffset()), (told.SaltId, told.ValidFrom));

        // Nobody has looked yet: which salt counts follows from the time alone.
        _host.Clock.Move(TimeSpan.FromDays(7) + TimeSpan.FromMinutes(50));
        Assert.Equal(announced.Next, await Current());
        Assert.Equal(2, (await _client.ComputeAsync(new ComputeRequest { PatientCpr = Patient, Names = { "Jens Hansen" } }, await As("source"), cancellationToken: Cancel)).SaltId);
        await Announce();
        await Announce();
        Assert.Equal(["salt.rotated.v1", "salt.announced.v1", "salt.rotated.v1"], (await Journal()).Select(entry => entry.Type).Where(type => type != "audit.masking-read.v1"));
        Assert.DoesNotContain(await Journal(), entry => entry.Data.Contains(announced.Next.Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ManyReplicasLookAfterALongDowntime_OneSaltIsAnnouncedWithItsFullTime()
    {
        var first = await Current();
        _host.Clock.Move(TimeSpan.FromDays(400));
        await using var replica = new TokenHost();
        replica.Set("Data:Folder", _host.Folder);
        replica.SecretsFile = Path.Combine(_host.Folder, "secrets.json");
        replica.Clock.Move(TimeSpan.FromDays(400));
        if (TestDatabase.IsPostgres)
            await replica.InitializeAsync();
        var replicas = TestDatabase.IsPostgres ? [_host.Services, replica.Services] : new[] { _host.Services };

        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => replicas[i % replicas.Length].GetRequiredService<Salts>().Announce(Cancel)));

        Assert.Single(await Journal(), entry => entry.Type == "salt.announced.v1");
        var salt = await Current();
        Assert.Equal(first.Value, salt.Value);
        Assert.InRange(salt.Next.ValidFrom.ToDateTimeOffset(), _host.Clock.GetUtcNow().AddDays(7).AddMinutes(-5), _host.Clock.GetUtcNow().AddDays(7));
    }

    [Fact]
    public async Task AnnouncedSaltOvertakenByAnOperator_IsNeverUsed()
    {
        await Current();
        _host.Clock.Move(TimeSpan.FromDays(85));
        await Announce();
        Assert.Equal(3, (await Rotate()).SaltId);
        Assert.Null((await Current()).Next);
        _host.Clock.Move(TimeSpan.FromDays(30));
        await Announce();
        Assert.Equal(3, (await Current()).SaltId);
        Assert.Equal([1, 3], (await Journal()).Where(entry => entry.Type == "salt.rotated.v1").Select(entry => ((SaltRotated)EventJson.Read(entry.Type, entry.Data)).SaltId));
    }

    [Theory]
    [InlineData("Pseudonym:RotationDays", "-1")]
    [InlineData("Pseudonym:AnnounceDays", "90")]
    [InlineData("Pseudonym:LagDays", "0")]
    [InlineData("Pseudonym:LagDays", "366")]
    public async Task PeriodThatCannotBe_StopsTheStart(string setting, string value)
    {
        await using var host = new TokenHost();
        host.Set(setting, value);
        var error = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(async () => await host.InitializeAsync());
        Assert.Contains("Set " + setting, error.Message, StringComparison.Ordinal);
    }

    // C2, O3
    [Fact]
    public async Task ShownUnderAnOlderSalt_RightCandidateIsFound()
    {
        var day = Today;
        var shown = await Shown("Karen Sørensen");
        _host.Clock.Move(TimeSpan.FromDays(40));
        await Rotate();
        _host.Clock.Move(TimeSpan.FromDays(40));
        await Rotate();

        var answer = await Resolve(shown, day, Today, "Jens Hansen", "Karen Sørensen", "Ole Lund");

        var match = Assert.Single(answer.Matches);
        Assert.Equal(("Karen Sørensen", 1, 1), (match.Name, match.Index, match.SaltId));
        Assert.Equal(3, answer.SaltsTried);
        Assert.Empty((await Resolve(shown, Today.AddDays(-20), Today, "Karen Sørensen")).Matches);
    }

    // C2: that nobody matches would be wrong.
    [Fact]
    public async Task SaltOfThePeriodIsErased_IsSaidAndNotThatNobodyMatches()
    {
        var (day, shown) = (Today, await Shown("Karen Sørensen"));
        _host.Clock.Move(TimeSpan.FromDays(40));
        var second = await Rotate();
        _host.Clock.Move(TimeSpan.FromDays(6 * 365));
        await Erase(_host);

        Assert.Equal("SLR-407", RejectionWriter.FromRpc(await Assert.ThrowsAsync<RpcException>(() => Resolve(shown, day, day, "Karen Sørensen")))!.Code);
        Assert.Equal("SLR-407", RejectionWriter.FromRpc(await Assert.ThrowsAsync<RpcException>(() => Resolve(shown, day, Today, "Karen Sørensen")))!.Code);
        Assert.Single((await Resolve(await Shown("Karen Sørensen"), day.AddDays(45), Today, "Karen Sørensen")).Matches);
        Assert.Equal([true, false], (await Store.Read(db => db.Salts.OrderBy(salt => salt.Id).ToListAsync(Cancel), Cancel)).Select(salt => salt.IsErased).Take(2));
        // The one in use stays, however old it is.
        Assert.Equal(second.Value, (await Current()).Value);
    }

    // C2: sources that fetch the salt more seldom than every day.
    [Fact]
    public async Task SaltThatMayBeShownLongerAfterItsReplacement_IsTriedAndKeptForAsLong()
    {
        await using var host = new TokenHost();
        host.Set("Pseudonym:LagDays", "30");
        host.Set("Retention:SaltYears", "1");
        await host.InitializeAsync();
        var names = JsonSerializer.Serialize(new { patientCpr = Patient, names = new[] { "Karen Sørensen" } });
        var shown = (await Http(host, "source", HttpMethod.Post, "/v1/pseudonyms/compute", names)).Body.GetProperty("pseudonyms")[0].GetString();
        host.Clock.Move(TimeSpan.FromDays(40));
        await Http(host, "operator", HttpMethod.Post, "/v1/salt/rotation");
        host.Clock.Move(TimeSpan.FromDays(20));
        var day = $"{DanishTime.DayOf(host.Clock.GetUtcNow()):O}";
        var request = JsonSerializer.Serialize(new { patientCpr = Patient, pseudonym = shown, from = day, to = day, purpose = Purpose, candidates = new[] { "Karen Sørensen" } });
        async Task<JsonElement> Resolved() => (await Http(host, "case-worker", HttpMethod.Post, "/v1/pseudonyms/resolve", request)).Body;
        Assert.Equal(1, (await Resolved()).GetProperty("matches").GetArrayLength());

        host.Clock.Move(TimeSpan.FromDays(370));
        await Erase(host);
        Assert.Equal(1, (await Resolved()).GetProperty("matches").GetArrayLength());
        host.Clock.Move(TimeSpan.FromDays(10));
        await Erase(host);
        Assert.Equal("SLR-407", (await Resolved()).GetProperty("code").GetString());
    }

    // E3: the journal that has forgotten when the salt in use was told of.
    [Fact]
    public async Task JournalErasedSinceTheLastRotation_TheNextSaltIsAnnouncedAllTheSame()
    {
        await Current();
        await Store.Write("test", scope => scope.Db.Journal.ExecuteDeleteAsync(scope.Cancel), Cancel);
        _host.Clock.Move(TimeSpan.FromDays(89));
        await Announce();
        Assert.Equal(2, (await Current()).Next.SaltId);
    }

    // C2: people who share a name share a pseudonym.
    [Fact]
    public async Task Homonyms_AreAllFound()
    {
        var answer = await Resolve(await Shown("Jens Hansen"), Today, Today, "JENS HANSEN", "Karen Sørensen", "Jens Hansen");
        Assert.Equal([0, 2], answer.Matches.Select(match => match.Index));
    }

    // C2, O3: an attempt that finds nothing is an attempt.
    [Fact]
    public async Task NobodyMatches_AttemptIsInTheAuditTrail()
    {
        var pseudonym = await Shown("Jens Hansen");
        var answer = await Resolve(pseudonym, Today, Today, "Karen Sørensen", "Ole Lund");

        Assert.Empty(answer.Matches);
        var entry = (await Journal())[^1];
        var resolved = Assert.IsType<PseudonymResolved>(EventJson.Read(entry.Type, entry.Data));
        Assert.Equal("p-18", entry.Actor);
        Assert.Equal((2, 0, pseudonym), (resolved.Candidates, resolved.Matches, resolved.Pseudonym));
        Assert.True(CprNumber.TryParse(Patient, out var patient));
        Assert.Equal(_host.Services.GetRequiredService<PatientKeys>().Of(patient).ToString(), entry.PatientKey);
        Assert.Equal(Purpose, _host.Services.GetRequiredService<Sealer>().Open(resolved.SealedPurpose, SealedFor.Purpose));
        Assert.DoesNotContain("117", entry.Data.Replace(resolved.SealedPurpose, "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True((await Store.Verify(Cancel)).Intact);
    }

    // C2, O3: no answer without its audit entry.
    [Fact]
    public async Task AuditEntryCannotBeWritten_NothingIsAnswered()
    {
        var pseudonym = await Shown("Jens Hansen");
        await TestDatabase.FillJournal(_host.Folder, "pseudonym");

        var error = await Assert.ThrowsAsync<RpcException>(() => Resolve(pseudonym, Today, Today, "Jens Hansen"));
        Assert.Equal("SLR-908", RejectionWriter.FromRpc(error)!.Code);
    }

    // O3: with a staff list whoever computes finds who is behind a pseudonym, as by resolving it.
    [Fact]
    public async Task Computed_LeavesAnEntry_OfWhomTowardsWhomAndOfHowMany_OrNothingIsAnswered()
    {
        var request = new ComputeRequest { PatientCpr = Patient, Names = { "Jens Hansen", "Karen Sørensen", "Ole Lund" } };
        await _client.ComputeAsync(request, await As("source"), cancellationToken: Cancel);
        var entry = (await Journal())[^1];
        var read = Assert.IsType<MaskingRead>(EventJson.Read(entry.Type, entry.Data));
        Assert.Equal(("source", Operations.ComputePseudonyms, 3, _host.Services.GetRequiredService<PatientKeys>().Of(CprNumber.Parse(Patient)).ToString()), (read.Client, read.Operation, read.Names, entry.PatientKey));
        Assert.DoesNotContain("Jens", entry.Data, StringComparison.Ordinal);

        await TestDatabase.FillJournal(_host.Folder, "pseudonym");
        var error = await Assert.ThrowsAsync<RpcException>(async () => await _client.ComputeAsync(request, await As("source"), cancellationToken: Cancel));
        Assert.Equal("SLR-504", RejectionWriter.FromRpc(error)!.Code);
    }

    // C2
    [Theory]
    [InlineData("SLR-402", "purpose", "purpose", "")]
    [InlineData("SLR-910", "patient_cpr", "patientCpr", "3113131313")]
    [InlineData("SLR-403", "pseudonym", "pseudonym", "d5dffae 283")]
    [InlineData("SLR-404", "from", "from", "31-12-2026")]
    [InlineData("SLR-404", "to", "to", "2020-01-01")]
    [InlineData("SLR-405", "candidates", "candidates", "[]")]
    [InlineData("SLR-406", "candidates[1]", "candidates", """["Jens Hansen"," "]""")]
    public async Task FieldWrong_NumberedRejectionAndNoEntry(string code, string field, string name, string value)
    {
        var request = new Dictionary<string, object>
        {
            ["patientCpr"] = Patient,
            ["pseudonym"] = Guid.NewGuid().ToString(),
            ["from"] = "2026-01-01",
            ["to"] = "2026-02-01",
            ["purpose"] = Purpose,
            ["candidates"] = new List<string> { "Jens Hansen" },
        };
        request[name] = value.StartsWith('[') ? JsonSerializer.Deserialize<JsonElement>(value) : value;
        var (status, problem) = await Http(_host, "case-worker", HttpMethod.Post, "/v1/pseudonyms/resolve", JsonSerializer.Serialize(request));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Empty(await Journal());
    }

    [Fact]
    public async Task TooManyOrNoNames_AreRefused()
    {
        var source = await As("source");
        var none = await Assert.ThrowsAsync<RpcException>(async () => await _client.ComputeAsync(new ComputeRequest { PatientCpr = Patient }, source, cancellationToken: Cancel));
        var many = await Assert.ThrowsAsync<RpcException>(async () =>
            await _client.ComputeAsync(new ComputeRequest { PatientCpr = Patient, Names = { Enumerable.Repeat("Jens Hansen", 1_001) } }, source, cancellationToken: Cancel));

        Assert.Equal("SLR-406", RejectionWriter.FromRpc(none)!.Code);
        Assert.Equal("SLR-907", RejectionWriter.FromRpc(many)!.Code);
    }

    [Theory]
    [InlineData("source", "/v1/pseudonyms/resolve")]
    [InlineData("operator", "/v1/pseudonyms/resolve")]
    [InlineData("case-worker", "/v1/pseudonyms/compute")]
    [InlineData("source", "/v1/salt/rotation")]
    public async Task RoleOfAnother_IsRefused(string client, string path) =>
        Assert.Equal((HttpStatusCode.Forbidden, "SLR-902"), Code(await Http(_host, client, HttpMethod.Post, path)));

    [Fact]
    public async Task WhateverIsAsked_LogsHoldNoNameNoCprNoSaltNoPurpose()
    {
        var salt = await _client.GetCurrentSaltAsync(new GetCurrentSaltRequest(), await As("source"), cancellationToken: Cancel);
        await Resolve(await Shown("Karen Sørensen"), Today, Today, "Karen Sørensen");

        foreach (var text in new[] { "Sørensen", Patient, salt.Value, Purpose })
            Assert.DoesNotContain(text, _host.Logged, StringComparison.OrdinalIgnoreCase);
    }

    private Store<PseudonymDb> Store => _host.Services.GetRequiredService<Store<PseudonymDb>>();

    private DateOnly Today => DanishTime.DayOf(_host.Clock.GetUtcNow());

    private async Task<Metadata> As(string client) => new() { { "authorization", "Bearer " + await _host.Token(client) } };

    private async Task<string> Shown(string name) =>
        (await _client.ComputeAsync(new ComputeRequest { PatientCpr = Patient, Names = { name } }, await As("source"), cancellationToken: Cancel)).Pseudonyms[0];

    private async Task<Salt> Current() => await _client.GetCurrentSaltAsync(new GetCurrentSaltRequest(), await As("source"), cancellationToken: Cancel);

    private Task Announce() => _host.Services.GetRequiredService<Salts>().Announce(Cancel);

    private static Task Erase(TokenHost host) => host.Services.GetServices<IHostedService>().OfType<EraseOnSchedule>().Single().EraseAll(Cancel);

    private async Task<Salt> Rotate() => await _client.RotateSaltAsync(new RotateSaltRequest(), await As("operator"), cancellationToken: Cancel);

    private async Task<ResolveResponse> Resolve(string pseudonym, DateOnly from, DateOnly to, params string[] candidates) =>
        await _client.ResolveAsync(
            new ResolveRequest
            {
                PatientCpr = Patient,
                Pseudonym = pseudonym.ToUpperInvariant(),
                From = $"{from:O}",
                To = $"{to:O}",
                Purpose = Purpose,
                Candidates = { candidates },
            },
            await As("case-worker"), cancellationToken: Cancel);

    private Task<List<JournalEntry>> Journal() => Store.Query(journal => journal.OrderBy(entry => entry.Position), Cancel);

    private static (HttpStatusCode, string?) Code((HttpStatusCode Status, JsonElement Body) answer) => (answer.Status, answer.Body.GetProperty("code").GetString());

    private static async Task<(HttpStatusCode Status, JsonElement Body)> Http(TokenHost host, string client, HttpMethod method, string path, string body = "{}")
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await host.Token(client));
        request.Content = method == HttpMethod.Post ? new StringContent(body, Encoding.UTF8, "application/json") : null;
        using var answer = await host.Http.SendAsync(request, Cancel);
        return (answer.StatusCode, await TokenHost.Json(answer));
    }
}
