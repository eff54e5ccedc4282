using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Xunit;
using static Sloring.Tests.Service.Registration.RegistrationHost;

namespace Sloring.Tests.Service.Registration;

public sealed class ActivateTests(RegistrationHost host) : IClassFixture<RegistrationHost>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // M2, M3, M5, M6
    public async Task Activation_IsInForceAndTold()
    {
        var answer = await host.Client.ActivateAsync(Requests.Activation(), await host.As("worker"));

        var (from, end) = (answer.InForceFrom.ToDateTimeOffset(), answer.EndsAt.ToDateTimeOffset());
        Assert.Equal(DanishTime.AddDays(from, 90), end);
        var events = await host.EventsOf(answer.MaskingId);
        var activated = Assert.IsType<RegistrationActivated>(events[0]);
        Assert.Equal((Region, "anna", "health-worker", end), (activated.Cvr, activated.ActivatedBy, activated.ActivatorRole, activated.EndsAt));
        Assert.Equal("Patienten truede personalet med kniv.", host.Sealer.Open(activated.SealedReason!, "reason"));
        Assert.Equal((DeadlineKinds.Expiry, end), (Assert.IsType<DeadlineSet>(events[1]).Kind, ((DeadlineSet)events[1]).DueAt));
        var stored = await host.Store.Read(db => db.Journal.SingleAsync(e => e.Position == answer.Position, Cancel), Cancel);
        Assert.Equal(("registration.activated.v1", "anna"), (stored.Type, stored.Actor));
    }

    [Fact] // M9
    public async Task Repeat_ChangesNothingAndAnswersTheSame()
    {
        var request = Requests.Activation().ByAdapter();
        var first = await host.Client.ActivateAsync(request, await host.As("epj"));
        var head = host.Store.Tail.Head;

        var second = await host.Client.ActivateAsync(request, await host.As("epj"));

        Assert.Equal(first, second);
        Assert.Equal(head, host.Store.Tail.Head);
    }

    [Fact] // M9
    public async Task RepeatsAtOnce_MakeOneMasking()
    {
        var request = Requests.Activation();
        var options = await host.As("worker");

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => host.Client.ActivateAsync(request, options).ResponseAsync));

        var answer = Assert.Single(answers.Distinct());
        Assert.Equal(2, (await host.EventsOf(answer.MaskingId)).Count);
    }

    [Fact] // M9
    public async Task SameKeyWithOtherContent_IsRejected()
    {
        var request = Requests.Activation();
        await host.Client.ActivateAsync(request, await host.As("worker"));
        var head = host.Store.Tail.Head;

        foreach (var spoil in (Action<ActivateRequest>[])
            [r => r.Reason += "!", r => r.PatientCpr = NewPatient(), r => r.Trigger = Trigger.Violence, r => r.BehaviourOn = "2025-02-04",
             r => r.EndsAt = Timestamp.FromDateTimeOffset(host.Clock.GetUtcNow().AddDays(1))])
        {
            var other = request.Clone();
            spoil(other);
            Assert.Equal("SLR-107", await host.Refuses("worker", (client, options) => client.ActivateAsync(other, options)));
        }
        // The same content from another person is another content; another organisation's keys are its own.
        Assert.Equal("SLR-107", await host.Refuses("leader", (client, options) => client.ActivateAsync(request, options)));
        Assert.Equal(head, host.Store.Tail.Head);
        Assert.NotEmpty((await host.Client.ActivateAsync(request, await host.As("other-leader"))).MaskingId);
    }

    [Fact] // M1, M7
    public async Task SecondActivation_SupersedesWithinTheOrganisationOnly()
    {
        var cpr = NewPatient();
        var elsewhere = await host.Client.ActivateAsync(Requests.Activation(cpr), await host.As("other-leader"));
        var first = await host.Client.ActivateAsync(Requests.Activation(cpr), await host.As("worker"));

        var second = await host.Client.ActivateAsync(Requests.Activation(cpr), await host.As("leader"));

        Assert.Equal("", first.SupersededMaskingId);
        Assert.Equal(first.MaskingId, second.SupersededMaskingId);
        var listed = await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PatientCpr = cpr }, await host.As("leader"));
        Assert.Equal([(second.MaskingId, MaskingState.InForce), (first.MaskingId, MaskingState.Superseded)], listed.Maskings.Select(m => (m.MaskingId, m.State)));
        var theirs = await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PatientCpr = cpr }, await host.As("other-leader"));
        Assert.Equal(elsewhere.MaskingId, Assert.Single(theirs.Maskings).MaskingId);
    }

    [Fact] // M7
    public async Task ActivationsAtOnce_LeaveOneInForce()
    {
        var cpr = NewPatient();
        var options = await host.As("worker");

        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => host.Client.ActivateAsync(Requests.Activation(cpr), options).ResponseAsync));

        var listed = await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PatientCpr = cpr }, options);
        Assert.Equal((16, 1), (listed.Maskings.Count, listed.Maskings.Count(m => m.State == MaskingState.InForce)));
    }

    public static TheoryData<string, string> Spoiled { get; } = new()
    {
        { "no trigger", "SLR-101" }, { "unknown trigger", "SLR-906" }, { "early behaviour", "SLR-102" }, { "future behaviour", "SLR-103" },
        { "late end", "SLR-105" }, { "past end", "SLR-106" }, { "impossible end", "SLR-916" }, { "short key", "SLR-108" }, { "odd key", "SLR-108" },
        { "no key", "SLR-108" }, { "no activator", "SLR-114" }, { "odd role", "SLR-116" }, { "odd unit", "SLR-912" }, { "odd person", "SLR-914" },
        { "long reason", "SLR-905" }, { "control character", "SLR-905" }, { "no cpr", "SLR-910" }, { "hyphen in cpr", "SLR-910" },
        { "impossible cpr", "SLR-910" }, { "no date", "SLR-916" }, { "impossible date", "SLR-916" },
    };

    [Theory] // M2, M4, M8, M10
    [MemberData(nameof(Spoiled))]
    public async Task BadField_IsRejectedByItsNumberAndChangesNothing(string what, string code)
    {
        var request = Requests.Activation().ByAdapter();
        Spoil(request, what);
        var head = host.Store.Tail.Head;

        Assert.Equal(code, await host.Refuses("epj", (client, options) => client.ActivateAsync(request, options)));

        Assert.Equal(head, host.Store.Tail.Head);
    }

    [Fact] // M2
    public async Task Caller_MustBeOneWhoMay()
    {
        Assert.Equal("SLR-115", await host.Refuses(
            "worker", (client, options) => client.ActivateAsync(Requests.Activation().ByAdapter(), options)));
        Assert.Equal("SLR-903", await host.Refuses(
            "rootless", (client, options) => client.ActivateAsync(Requests.Activation().ByAdapter(), options)));
        Assert.Equal("SLR-902", await host.Refuses("source-1", (client, options) => client.ActivateAsync(Requests.Activation(), options)));
        Assert.Equal("SLR-901", await Rejected(async () => await host.Client.ActivateAsync(Requests.Activation(), cancellationToken: Cancel)));
    }

    [Fact] // M2, M5
    public async Task OverHttp_TheSameMessageWorks()
    {
        using var http = await host.HttpAs("epj");
        var cpr = NewPatient();
        var key = Guid.NewGuid();
        var body = $$$"""
            {"idempotencyKey":"{{{key}}}","patientCpr":"{{{cpr}}}","trigger":"TRIGGER_VIOLENCE","behaviourOn":"2025-02-03",
             "activator":{"personId":"bo","role":"leader"}}
            """;
        using var created = await http.PostAsync(new Uri("/v1/maskings", UriKind.Relative), Json(body), Cancel);
        var masking = (await created.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("maskingId").GetString();
        Assert.Equal(HttpStatusCode.OK, created.StatusCode);

        using var listed = await http.GetAsync(new Uri("/v1/maskings?reason_missing_only=true&page_size=500", UriKind.Relative), Cancel);
        Assert.Contains(masking!, await listed.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        using var reason = await http.PostAsync(new Uri($"/v1/maskings/{masking}/reason", UriKind.Relative), Json("""{"reason":"Slog."}"""), Cancel);
        Assert.Equal(HttpStatusCode.OK, reason.StatusCode);
        using var ended = await http.PostAsync(
            new Uri($"/v1/maskings/{masking}/end", UriKind.Relative), Json("""{"reason":"Fejl.","activator":{"personId":"bo","role":"leader"}}"""), Cancel);
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);

        using var refused = await http.PostAsync(new Uri("/v1/maskings", UriKind.Relative), Json(body.Replace("VIOLENCE", "UNSPECIFIED", StringComparison.Ordinal)), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var problem = await refused.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal(("SLR-101", "trigger"), (problem.GetProperty("code").GetString(), problem.GetProperty("field").GetString()));
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private void Spoil(ActivateRequest request, string what)
    {
        switch (what)
        {
            case "no trigger": request.Trigger = Trigger.Unspecified; break;
            case "unknown trigger": request.Trigger = (Trigger)77; break;
            case "early behaviour": request.BehaviourOn = "2024-01-31"; break;
            case "future behaviour": request.BehaviourOn = DanishTime.DayOf(host.Clock.GetUtcNow().AddDays(1)).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture); break;
            case "late end": request.EndsAt = Timestamp.FromDateTimeOffset(host.Clock.GetUtcNow().AddDays(91)); break;
            case "past end": request.EndsAt = Timestamp.FromDateTimeOffset(host.Clock.GetUtcNow().AddSeconds(-1)); break;
            case "impossible end": request.EndsAt = new Timestamp { Seconds = long.MaxValue, Nanos = -1 }; break;
            case "short key": request.IdempotencyKey = "1234567"; break;
            case "odd key": request.IdempotencyKey = "æøå-12345678"; break;
            case "no key": request.IdempotencyKey = ""; break;
            case "no activator": request.Activator = null; break;
            case "odd role": request.Activator.Role = "region"; break;
            case "odd unit": request.Activator.UnitSorId = "1000101000016004"; break;
            case "odd person": request.Activator.PersonId = request.PatientCpr; break;
            case "long reason": request.Reason = new string('x', 4_001); break;
            case "control character": request.Reason = "a\u0007b"; break;
            case "no cpr": request.PatientCpr = ""; break;
            case "hyphen in cpr": request.PatientCpr = request.PatientCpr.Insert(6, "-"); break;
            case "impossible cpr": request.PatientCpr = "3202700000"; break;
            case "no date": request.BehaviourOn = ""; break;
            case "impossible date": request.BehaviourOn = "2025-02-30"; break;
            default: throw new ArgumentOutOfRangeException(nameof(what));
        }
    }
}
