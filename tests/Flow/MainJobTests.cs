using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Quartz;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Registration.V1;
using Xunit;
using static Sloring.Tests.Flow.SharedPlatform;
using Activator = Sloring.Contracts.Registration.V1.Activator;

namespace Sloring.Tests.Flow;

/// <summary>The main job on the whole platform: what the EPJ, the leader and the patient see.</summary>
public sealed class MainJobTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact] // M1, M3, E1, E2, E3
    public async Task Activation_MasksThatOrganisationOnBothWires_AndNoOther()
    {
        var cpr = People.NextCpr();
        Assert.False(await flow.IsMasked(cpr, RegionH));
        await flow.Activated(cpr);

        var shown = await flow.View(cpr, Entry(RegionH, SectionA), Entry(RegionM, MedicalM));
        var (nurse, other) = (shown["entries"]![0]!["staff"]![0]!, shown["entries"]![1]!["staff"]![0]!);
        Assert.True(Masked(nurse));
        Assert.Equal("Sygeplejerske", (string?)nurse["profession"]);
        Assert.True(Guid.TryParse((string?)nurse["pseudonym"], out _));
        foreach (var gone in (string[])["name", "cpr", "authorisationId", "userId", "email"])
            Assert.Null(nurse[gone]);
        Assert.Equal("Mette Holm Testesen", (string?)other["name"]);
        Assert.Equal("6QF17", (string?)other["authorisationId"]);
        Assert.Contains("aktindsigt", (string?)shown["explanation"]!["da"], StringComparison.Ordinal);

        // The same over gRPC, with the generated stub.
        var answer = await flow.Effectuation.MaskEntriesAsync(
            new MaskEntriesRequest { PatientCpr = cpr, Entries = { GrpcEntry(RegionH), GrpcEntry(RegionM) } }, await flow.As("borgervisning"), cancellationToken: None);
        Assert.Equal((string?)nurse["pseudonym"], answer.Entries[0].Staff[0].Pseudonym);
        Assert.Empty(answer.Entries[0].Staff[0].Name);
        Assert.False(answer.Entries[1].Staff[0].Masked);
        // Another patient sees the name.
        Assert.False(await flow.IsMasked(People.NextCpr(), RegionH));
    }

    [Fact] // M2, M1
    public async Task TheOrganisation_IsTheTokensAlone()
    {
        var cpr = People.NextCpr();
        var smuggled = flow.Activation(cpr);
        smuggled["cvr"] = RegionM;
        await flow.Refused("SLR-904", "epj-hovedstaden", "/v1/maskings", smuggled);

        // Two adapters of two organisations, one over each wire.
        var registration = new RegistrationService.RegistrationServiceClient(flow.Platform.Channel);
        var answer = await registration.ActivateAsync(
            new ActivateRequest
            {
                IdempotencyKey = "grpc-" + cpr[..4] + Guid.NewGuid().ToString("N")[..8],
                PatientCpr = cpr,
                Trigger = Trigger.Threats,
                BehaviourOn = "2025-01-15",
                Activator = new Activator { PersonId = "hw-2001", Role = "health-worker", UnitSorId = MedicalM },
            },
            await flow.As("epj-midtjylland"), cancellationToken: None);
        await flow.Seen(cpr, RegionM, masked: true);
        Assert.False(await flow.IsMasked(cpr, RegionH));
        // The other organisation neither sees nor ends it.
        Assert.Null((await flow.Must("epj-hovedstaden", "/v1/maskings", flow.Activation(cpr)))["supersededMaskingId"]);
        var theirs = await flow.Get("epj-hovedstaden", "/v1/maskings?page_size=500");
        Assert.DoesNotContain(theirs["maskings"]!.AsArray(), m => (string?)m!["maskingId"] == answer.MaskingId);
        await flow.Refused("SLR-109", "leder", $"/v1/maskings/{answer.MaskingId}/end", Reason("Ikke vores."));
        await flow.Refused("SLR-201", "leder", $"/v1/cases/{answer.MaskingId}/decision", new JsonObject { ["decision"] = "DECISION_LIFT", ["reason"] = "Ikke vores." });
        Assert.True(await flow.IsMasked(cpr, RegionM));
    }

    [Fact] // M6, M9, M10, A1, A2, A10, M5
    public async Task Activation_RunsNinetyDays_IsRepeatableAndOpensOneCase()
    {
        var cpr = People.NextCpr();
        var activation = flow.Activation(cpr, reason: null);
        var first = await flow.Must("epj-hovedstaden", "/v1/maskings", activation);
        var again = await flow.Must("epj-hovedstaden", "/v1/maskings", activation);
        Assert.Equal(first.ToJsonString(), again.ToJsonString());
        var (id, from) = ((string)first["maskingId"]!, (DateTimeOffset)first["inForceFrom"]!);
        Assert.Equal(DanishTime.AddDays(from, 90), (DateTimeOffset)first["endsAt"]!);

        await flow.CaseThere("leder", id);
        await Eventually.True(async () => (await flow.Notices("leder", id)).Contains("leader-told"), "the level is told");
        var summary = (await flow.Case("leder", id))["summary"]!;
        Assert.Equal("1000021000016006", (string?)summary["levelUnitSorId"]);
        Assert.True((bool?)summary["reasonMissing"]);
        Assert.InRange((DateTimeOffset)summary["decisionDue"]!, from.AddDays(9), from.AddDays(14));
        await flow.Refused("SLR-204", "leder", $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" });
        await flow.Must("sygeplejerske", $"/v1/maskings/{id}/reason", Reason("Kastede en stol efter personalet."));
        await Eventually.True(async () => (string?)(await flow.Case("leder", id))["reason"] == "Kastede en stol efter personalet.", "the case has its reason");

        // A10: what the register tells of a masking is the same before and after the decision.
        var before = await Listed(id);
        await flow.Decide("leder", id, "UPHOLD", "Alvorligt.");
        await flow.CaughtUp();
        Assert.Equal(before, await Listed(id));

        async Task<string> Listed(string masking) =>
            (await flow.Get("epj-hovedstaden", "/v1/maskings?page_size=500"))["maskings"]!.AsArray().Single(m => (string?)m!["maskingId"] == masking)!.ToJsonString();
    }

    [Fact] // M7
    public async Task NewBehaviour_StartsAFreshNinetyDays_AndClosesTheOldCase()
    {
        var cpr = People.NextCpr();
        var first = await flow.Activated(cpr);
        await flow.MoveTo(flow.Now.AddDays(30));
        var second = await flow.Activated(cpr, "Truede igen.");
        var (old, young) = ((string)first["maskingId"]!, (string)second["maskingId"]!);
        Assert.Equal(old, (string?)second["supersededMaskingId"]);
        Assert.Equal(DanishTime.AddDays((DateTimeOffset)second["inForceFrom"]!, 90), (DateTimeOffset)second["endsAt"]!);
        await Eventually.True(async () => await flow.CaseState("leder", old) == "CASE_STATE_SUPERSEDED", "the old case is superseded");
        Assert.Equal("CASE_STATE_OPEN", await flow.CaseState("leder", young));
        await flow.Refused("SLR-206", "leder", $"/v1/cases/{old}/decision", new JsonObject { ["decision"] = "DECISION_LIFT", ["reason"] = "For sent." });

        await flow.MoveTo(((DateTimeOffset)first["endsAt"]!).AddSeconds(1));
        Assert.True(await flow.IsMasked(cpr, RegionH));
        await flow.MoveTo(((DateTimeOffset)second["endsAt"]!).AddSeconds(-20));
        Assert.True(await flow.IsMasked(cpr, RegionH));
        await flow.MoveTo(((DateTimeOffset)second["endsAt"]!).AddSeconds(1));
        await flow.Seen(cpr, RegionH, masked: false);
    }

    [Fact] // A8, A9, O1, O2
    public async Task Renewal_ExtendsWithoutAnInstantOfShowing_AndIsCounted()
    {
        var patients = Enumerable.Range(0, 5).Select(_ => People.NextCpr()).ToList();
        var maskings = new List<JsonNode>();
        foreach (var patient in patients)
            maskings.Add(await flow.ActivatedInM(patient, "TRIGGER_HARASSMENT"));
        var ids = maskings.ConvertAll(m => (string)m["maskingId"]!);
        foreach (var id in ids)
            await flow.Decide("leder-vest", id, "UPHOLD");
        await flow.Refused("SLR-208", "leder-vest", $"/v1/cases/{ids[0]}/renewal", Reason("For tidligt."));

        await using var watched = await AlwaysMasked.Start(flow, patients[0]);
        var end = (DateTimeOffset)maskings[0]["endsAt"]!;
        await flow.MoveTo(end.AddDays(-9));
        await Eventually.True(async () => (await flow.Notices("leder-vest", ids[0])).Contains("expiry-notice"), "the leader gets the expiry notice (A8)");
        await flow.Refused("SLR-210", "leder-vest", $"/v1/cases/{ids[0]}/renewal", Reason(" "));
        foreach (var id in ids)
        {
            var renewed = await flow.Must("leder-vest", $"/v1/cases/{id}/renewal", Reason("Patienten truer fortsat personalet."));
            var theEnd = (DateTimeOffset)maskings[ids.IndexOf(id)]["endsAt"]!;
            Assert.Equal(DanishTime.AddDays(theEnd, 90), (DateTimeOffset)renewed["summary"]!["endsAt"]!);
        }
        await flow.MoveTo(end.AddSeconds(-1));
        await flow.MoveTo(((DateTimeOffset)maskings[^1]["endsAt"]!).AddSeconds(2));
        await flow.CaughtUp();
        foreach (var patient in patients)
            Assert.True(await flow.IsMasked(patient, RegionM));
        await watched.Stop();

        var row = await Row(maskings[0], "harassment");
        Assert.Equal((5, 5, 5), ((int?)row["activations"], (int?)row["upheld"] ?? (int?)row["activations"], (int?)row["renewed"]));
        await flow.MoveTo(DanishTime.AddDays(end, 90).AddMinutes(1));
        await flow.Seen(patients[0], RegionM, masked: false);
        await flow.Refused("SLR-209", "leder-vest", $"/v1/cases/{ids[0]}/renewal", Reason("For sent."));
    }

    [Fact] // A7
    public async Task OwnActivation_IsDecidedByAnotherLeaderOfTheLevel()
    {
        var cpr = People.NextCpr();
        var activation = flow.Activation(cpr);
        activation.Remove("activator");
        var id = (string)(await flow.Must("leder", "/v1/maskings", activation))["maskingId"]!;
        await flow.CaseThere("leder-2", id);
        var decision = new JsonObject { ["decision"] = "DECISION_UPHOLD" };
        await flow.Refused("SLR-203", "leder", $"/v1/cases/{id}/decision", decision);
        Assert.Equal("CASE_STATE_OPEN", await flow.CaseState("leder-2", id));
        await flow.Decide("leder-2", id, "UPHOLD");
        Assert.Equal("ld-2002", (string?)(await flow.Case("leder", id))["decisions"]![0]!["decidedBy"]);
    }

    [Fact] // A3, A4
    public async Task OverdueCase_IsEscalated_AndNeverLiftsTheMasking()
    {
        var cpr = People.NextCpr();
        var id = (string)(await flow.Activated(cpr))["maskingId"]!;
        await flow.Refused("SLR-202", "leder-region", $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" });
        await flow.MoveTo(((DateTimeOffset)(await flow.Case("leder", id))["summary"]!["decisionDue"]!).AddHours(1));
        await Eventually.True(async () => (await flow.Notices("leder-region", id)).Contains("decision-overdue"), "the level above is told");
        Assert.Equal(2, (await flow.Notices("leder", id)).Count(kind => kind == "decision-reminder"));
        Assert.True((bool?)(await flow.Case("leder", id))["summary"]!["overdue"]);
        Assert.True(await flow.IsMasked(cpr, RegionH));
        await flow.MoveTo(flow.Now.AddDays(40));
        Assert.True(await flow.IsMasked(cpr, RegionH));
        await flow.Decide("leder-region", id, "UPHOLD");
        Assert.Equal("CASE_STATE_UPHELD", await flow.CaseState("leder", id));
    }

    [Fact] // A5, E1
    public async Task Lift_ShowsNamesAtOnce_AndTellsTheActivator()
    {
        var cpr = People.NextCpr();
        var id = (string)(await flow.Activated(cpr))["maskingId"]!;
        await flow.Refused("SLR-207", "leder", $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = "DECISION_LIFT" });
        Assert.True(await flow.IsMasked(cpr, RegionH));
        await flow.Decide("leder", id, "LIFT", "Ikke chikane.");
        await flow.Seen(cpr, RegionH, masked: false);
        Assert.Equal("Mette Holm Testesen", (string?)(await flow.ViewOne(cpr, RegionH, SectionA))["name"]);
        await Eventually.True(async () => (await flow.Notices("sygeplejerske", id)).Contains("lifted"), "the activator is told");
        await flow.Refused("SLR-205", "leder", $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" });
    }

    [Fact] // A6
    public async Task Question_ReachesTheActivator_AndItsAnswerTheLeader()
    {
        var id = (string)(await flow.Activated(People.NextCpr()))["maskingId"]!;
        await flow.Must("leder", $"/v1/cases/{id}/questions", new JsonObject { ["text"] = "Var der vidner?" });
        await Eventually.True(async () => (await flow.Notices("sygeplejerske", id)).Contains("question"), "the activator is asked");
        Assert.True((bool?)(await flow.Case("leder", id))["summary"]!["awaitsAnswer"]);
        await flow.Refused("SLR-201", "laege", $"/v1/cases/{id}/questions/1/answer", new JsonObject { ["text"] = "Ved ikke." });
        await flow.Must("sygeplejerske", $"/v1/cases/{id}/questions/1/answer", new JsonObject { ["text"] = "Ja, to kolleger." });
        await Eventually.True(async () => (await flow.Notices("leder", id)).Contains("answer"), "the leader has the answer");
        var question = (await flow.Case("leder", id))["questions"]![0]!;
        Assert.Equal(("Var der vidner?", "hw-1001", "Ja, to kolleger."), ((string?)question["text"], (string?)question["answeredBy"], (string?)question["answer"]));
        await flow.Refused("SLR-214", "sygeplejerske", $"/v1/cases/{id}/questions/1/answer", new JsonObject { ["text"] = "Igen." });
    }

    [Fact] // M6: by the reader's clock, not by the sweep
    public async Task Expiry_ShowsNames_AlsoWhenNobodySweeps()
    {
        var cpr = People.NextCpr();
        var masking = await flow.Activated(cpr);
        var id = (string)masking["maskingId"]!;
        var sweep = await flow.Platform.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(None);
        await sweep.Standby(None);
        try
        {
            var end = (DateTimeOffset)masking["endsAt"]!;
            await flow.MoveTo(end.AddSeconds(-20));
            Assert.True(await flow.IsMasked(cpr, RegionH));
            await flow.MoveTo(end.AddMilliseconds(1));
            await flow.Seen(cpr, RegionH, masked: false);
            var inForce = await flow.Get("epj-hovedstaden", "/v1/maskings?in_force_only=true&page_size=500");
            Assert.DoesNotContain(inForce["maskings"]?.AsArray() ?? [], m => (string?)m!["maskingId"] == id);
            Assert.Equal("CASE_STATE_EXPIRED", await flow.CaseState("leder", id));
            await flow.Refused("SLR-112", "leder", $"/v1/maskings/{id}/end", Reason("For sent."));
        }
        finally
        {
            await sweep.Start(None);
        }
        await Eventually.True(async () => (await flow.Journal("registration", cpr)).Any(e => (string?)e["type"] == "registration.ended.v1"), "the sweep records the end");
    }

    [Fact] // E4
    public async Task Masking_FollowsThePatientWhoseDataIsShown()
    {
        var (child, parent) = (People.NextCpr(), People.NextCpr());
        await flow.Activated(child);
        Assert.True(await flow.IsMasked(child, RegionH));
        Assert.False(await flow.IsMasked(parent, RegionH));
        // There is no way even to say who is logged in.
        await flow.Refused("SLR-904", "borgervisning", "/v1/mask-entries", new JsonObject { ["patientCpr"] = child, ["loggedInCpr"] = parent });
    }

    [Fact] // E5, E2
    public async Task EntryWithoutOrganisation_IsMaskedWhileAMaskingCouldCoverIt_AndReported()
    {
        var cpr = People.NextCpr();
        Assert.False(Masked(await flow.ViewOne(cpr, cvr: null)));
        var id = (string)(await flow.Activated(cpr))["maskingId"]!;
        var named = Entry(RegionH, SectionA);
        named["text"] = "Samtale ved Mette Holm Testesen.";
        foreach (var unusable in (string?[])[null, "12345678", "29190624"])
        {
            var shown = await flow.View(cpr, Entry(unusable), named);
            Assert.True(Masked(shown["entries"]![0]!["staff"]![0]!), unusable);
            var findings = shown["findings"]!.AsArray().Select(f => ((string?)f!["kind"], (string?)f["source"])).ToList();
            Assert.Contains(("FINDING_KIND_ORGANISATION_MISSING", "EPJ"), findings);
            Assert.Contains(("FINDING_KIND_NAME_IN_TEXT", "EPJ"), findings);
            Assert.Equal("Samtale ved Mette Holm Testesen.", (string?)shown["entries"]![1]!["text"]);
        }
        await flow.Must("leder", $"/v1/maskings/{id}/end", Reason("Patienten er flyttet."));
        await flow.Seen(cpr, RegionH, masked: false);
        Assert.False(Masked(await flow.ViewOne(cpr, cvr: null)));
    }

    [Fact] // E8
    public async Task MaskingState_IsReadByViewsAndSources_EachItsOwn_WithoutWhyAndWho()
    {
        var cpr = People.NextCpr();
        await flow.Activated(cpr);
        await flow.ActivatedInM(cpr);
        var body = new JsonObject { ["patientCpr"] = cpr };
        foreach (var outsider in (string[])["epj-hovedstaden", "sygeplejerske", "leder", "hospitalsledelse", "region", "national", "sagsbehandler", "revisor", "drift"])
            await flow.Refused("SLR-902", outsider, "/v1/masking-instructions", body);
        var all = await flow.Must("borgervisning", "/v1/masking-instructions", body);
        Assert.Equal([RegionH, RegionM], all["organisations"]!.AsArray().Select(o => (string)o!["cvr"]!).Order());
        Assert.All(all["organisations"]!.AsArray(), o => Assert.Equal(["cvr", "endsAt"], o!.AsObject().Select(p => p.Key).Order()));
        foreach (var (source, cvr) in ((string, string)[])[("kilde-hovedstaden", RegionH), ("kilde-midtjylland", RegionM)])
            Assert.Equal([cvr], (await flow.Must(source, "/v1/masking-instructions", body))["organisations"]!.AsArray().Select(o => (string)o!["cvr"]!));
    }

    [Fact] // E1, M3
    public async Task WhatAViewIsAnswered_HoldsNeitherWhoActivated_NorWhy_NorTheCase()
    {
        var cpr = People.NextCpr();
        var activation = flow.Activation(cpr, reason: "Kastede en stol efter vagten.");
        var id = (string)(await flow.Must("epj-hovedstaden", "/v1/maskings", activation))["maskingId"]!;
        await flow.Seen(cpr, RegionH, masked: true);
        await flow.CaseThere("leder", id);
        await flow.Decide("leder", id, "UPHOLD", "Truslen består uændret.");
        var state = await flow.Must("borgervisning", "/v1/masking-instructions", new JsonObject { ["patientCpr"] = cpr });
        var shown = await flow.View(cpr, Entry(RegionH, SectionA), Entry(RegionM, MedicalM), Entry(null));
        Assert.True(Masked(shown["entries"]![0]!["staff"]![0]!));
        foreach (var answer in (string[])[state.ToJsonString(), shown.ToJsonString()])
            Assert.All((string[])["hw-1001", "Kastede", "ld-2001", "Truslen", id, "violence", "VIOLENCE"], told => Assert.DoesNotContain(told, answer, StringComparison.OrdinalIgnoreCase));
    }

    [Fact] // O3
    public async Task Auditor_FindsEveryReadAndDecisionOfAPatient_AndVerifies()
    {
        var cpr = People.NextCpr();
        var id = (string)(await flow.Activated(cpr))["maskingId"]!;
        await flow.Must("borgervisning", "/v1/masking-instructions", new JsonObject { ["patientCpr"] = cpr });
        await flow.Decide("leder", id, "LIFT", "Ikke chikane.");
        await Eventually.True(async () => Operations(await flow.Journal("effectuation", cpr)).IsSupersetOf(["MaskEntries", "GetMaskingInstructions"]), "the reads stand in the journal");
        var decided = Assert.Single(await flow.Journal("approval", cpr), e => (string?)e["type"] == "approval.decided.v1");
        Assert.Equal(("ld-2001", id), ((string?)decided["actor"], (string?)decided["subject"]));
        Assert.InRange((DateTimeOffset)decided["occurredAt"]!, flow.Now.AddMinutes(-5), flow.Now);
        // On what ground: sealed, since it tells of the patient.
        Assert.DoesNotContain("chikane", decided.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("sealed", (string)decided["data"]!, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(await flow.Journal("approval", cpr), e => ((string?)e["type"])!.StartsWith("audit.", StringComparison.Ordinal));
        Assert.Contains(await flow.Journal("registration", cpr), e => (string?)e["type"] == "registration.activated.v1" && (string?)e["actor"] == "hw-1001");
        foreach (var service in (string[])["registration", "approval", "scheduler", "pseudonym", "effectuation"])
        {
            Assert.True((bool?)(await flow.Get("revisor", $"/v1/journals/{service}/verification"))["intact"], service);
            await flow.Refused("SLR-902", "leder", $"/v1/journals/{service}/search", new JsonObject());
        }

        static HashSet<string> Operations(List<JsonNode> events) =>
            [.. events.Where(e => (string?)e["type"] == "audit.masking-read.v1").Select(e => (string)JsonNode.Parse((string)e["data"]!)!["operation"]!)];
    }

    [Fact] // O1, O2
    public async Task Overview_ShowsNoSmallCellAndNoPerson()
    {
        var first = await flow.ActivatedInM(People.NextCpr(), "TRIGGER_FOUNDED_FEAR");
        var few = await Row(first, "founded-fear");
        Assert.Equal(["cvr", "levelUnitSorId", "month", "trigger"], few.AsObject().Select(p => p.Key).Order());
        for (var more = 0; more < 4; more++)
            await flow.ActivatedInM(People.NextCpr(), "TRIGGER_FOUNDED_FEAR");
        var enough = await Row(first, "founded-fear");
        Assert.Equal(5, (int?)enough["activations"]);
        Assert.Null(enough["upheld"]);
    }

    [Fact] // C2, E3
    public async Task AccessRequest_ResolvesAPseudonymShownBeforeTheSaltWasRotated()
    {
        var cpr = People.NextCpr();
        await flow.Activated(cpr);
        var shown = (string)(await flow.ViewOne(cpr, RegionH, SectionA))["pseudonym"]!;
        await flow.Must("drift", "/v1/salt/rotation", new JsonObject());
        await Eventually.True(async () => (string?)(await flow.ViewOne(cpr, RegionH, SectionA))["pseudonym"] != shown, "the new salt is in use");
        var today = DanishTime.DayOf(flow.Now);
        var request = new JsonObject
        {
            ["patientCpr"] = cpr,
            ["pseudonym"] = shown,
            ["from"] = today.AddDays(-1).ToString("yyyy-MM-dd", null),
            ["to"] = today.ToString("yyyy-MM-dd", null),
            ["purpose"] = "Aktindsigt efter begæring.",
            ["candidates"] = new JsonArray("Bo Eksempel", "Mette Holm Testesen", "Ida Opdigtet"),
        };
        var resolved = await flow.Must("sagsbehandler", "/v1/pseudonyms/resolve", request);
        var match = Assert.Single(resolved["matches"]!.AsArray())!;
        Assert.Equal(("Mette Holm Testesen", 1), ((string?)match["name"], (int?)match["index"]));
        Assert.Contains(await flow.Journal("pseudonym", cpr), e => (string?)e["actor"] == "cw-6001");
        await flow.Refused("SLR-902", "leder", "/v1/pseudonyms/resolve", request.DeepClone());
        request["purpose"] = "";
        await flow.Refused("SLR-402", "sagsbehandler", "/v1/pseudonyms/resolve", request);
    }

    /// <summary>The overview's row of the month and trigger of a masking in Region Midtjylland.</summary>
    private async Task<JsonNode> Row(JsonNode masking, string trigger)
    {
        var month = DanishTime.DayOf((DateTimeOffset)masking["inForceFrom"]!).ToString("yyyy-MM", null);
        var overview = await flow.Get("national", $"/v1/overview?from_month={month}&to_month={month}");
        return overview["rows"]!.AsArray().Single(r => (string?)r!["cvr"] == RegionM && (string?)r["trigger"] == trigger)!;
    }

    private static Entry GrpcEntry(string cvr) => new()
    {
        Id = "g-1",
        Source = "EPJ",
        Cvr = cvr,
        SorId = UnitOf(cvr),
        Staff = { new Staff { Role = "user", Name = "Mette Holm Testesen", ProfessionCode = "5166" } },
    };

    /// <summary>Asks without a pause, on one stream that clock and tokens do not touch, and remembers whether a name ever showed.</summary>
    private sealed class AlwaysMasked : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Task<(int Asked, int Shown)> _asking = null!;

        public static async Task<AlwaysMasked> Start(SharedPlatform flow, string cpr)
        {
            var asking = new AlwaysMasked();
            var call = flow.Effectuation.MaskEntryStream(await flow.As("borgervisning"), cancellationToken: None);
            asking._asking = asking.Ask(call, new MaskEntriesRequest { PatientCpr = cpr, Entries = { GrpcEntry(RegionM) } });
            // Its token is checked once, when the call arrives: by the clock of then.
            await await Task.WhenAny(asking._begun.Task, asking._asking);
            return asking;
        }

        public async Task Stop()
        {
            await _stop.CancelAsync();
            var (asked, shown) = await _asking;
            Assert.True(asked > 20, $"asked only {asked} times");
            Assert.Equal(0, shown);
        }

        private async Task<(int, int)> Ask(Grpc.Core.AsyncDuplexStreamingCall<MaskEntriesRequest, MaskEntriesResponse> call, MaskEntriesRequest request)
        {
            using (call)
            {
                var (asked, shown) = (0, 0);
                using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
                while (!_stop.IsCancellationRequested)
                {
                    await call.RequestStream.WriteAsync(request, None);
                    Assert.True(await call.ResponseStream.MoveNext(None));
                    asked++;
                    _begun.TrySetResult();
                    shown += call.ResponseStream.Current.Entries[0].Staff[0].Masked ? 0 : 1;
                    await tick.WaitForNextTickAsync(None);
                }
                await call.RequestStream.CompleteAsync();
                return (asked, shown);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _asking.ContinueWith(_ => { }, None, TaskContinuationOptions.None, TaskScheduler.Default);
            _stop.Dispose();
        }
    }
}
