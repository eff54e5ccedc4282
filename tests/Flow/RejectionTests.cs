using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Journal.V1;
using Sloring.Contracts.Keys.V1;
using Sloring.Contracts.Operation.V1;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Contracts.Scheduler.V1;
using Sloring.Hosting;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>Everything that can be wrong, at every entry point, on both wires: its number, its status, both languages, no value repeated, nothing changed.</summary>
public sealed class RejectionTests(RejectionTests.Stage stage) : IClassFixture<RejectionTests.Stage>
{
    private const string Epj = "epj-hovedstaden";
    private const string View = "borgervisning";

    private static readonly Dictionary<RejectionKind, (int Http, StatusCode Grpc)> Statuses = new()
    {
        [RejectionKind.Invalid] = (400, StatusCode.InvalidArgument),
        [RejectionKind.Unauthenticated] = (401, StatusCode.Unauthenticated),
        [RejectionKind.Forbidden] = (403, StatusCode.PermissionDenied),
        [RejectionKind.NotFound] = (404, StatusCode.NotFound),
        [RejectionKind.Conflict] = (409, StatusCode.AlreadyExists),
        [RejectionKind.State] = (409, StatusCode.FailedPrecondition),
        [RejectionKind.TooMuch] = (413, StatusCode.ResourceExhausted),
        [RejectionKind.TooOften] = (429, StatusCode.ResourceExhausted),
        [RejectionKind.Unavailable] = (503, StatusCode.Unavailable),
        [RejectionKind.Internal] = (500, StatusCode.Internal),
    };

    /// <summary>Every entry point: a client that may use it, its HTTP form, its rpc, and a request it would accept.</summary>
    internal static readonly Dictionary<string, EntryPoint> EntryPoints = new()
    {
        ["activate"] = new(Epj, "POST /v1/maskings", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).ActivateAsync(ActivateRequest.Parser.ParseJson(j), m)),
            s => s.Flow.Activation(People.NextCpr())),
        ["reason"] = new(Epj, "POST /v1/maskings/{maskingId}/reason", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).AddReasonAsync(AddReasonRequest.Parser.ParseJson(j), m)),
            s => new() { ["maskingId"] = s.MaskingId, ["reason"] = "Truede med at slå." }),
        ["end"] = new("leder", "POST /v1/maskings/{maskingId}/end", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).EndAsync(EndRequest.Parser.ParseJson(j), m)),
            s => new() { ["maskingId"] = s.MaskingId, ["reason"] = "Ikke mere." }),
        ["maskings"] = new(Epj, "GET /v1/maskings", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).ListMaskingsAsync(ListMaskingsRequest.Parser.ParseJson(j), m)), _ => []),
        ["nominate"] = new("hospitalsledelse", "POST /v1/units", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).NominateUnitAsync(NominateUnitRequest.Parser.ParseJson(j), m)),
            _ => Nomination("1000211000016007")),
        ["review"] = new("region", "POST /v1/units/{unitMaskingId}/review", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).ReviewUnitAsync(ReviewUnitRequest.Parser.ParseJson(j), m)),
            s => new() { ["unitMaskingId"] = s.UnitId, ["review"] = "REVIEW_RECOMMENDED" }),
        ["confirm"] = new("national", "POST /v1/units/{unitMaskingId}/confirmation", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).ConfirmUnitAsync(ConfirmUnitRequest.Parser.ParseJson(j), m)),
            s => new() { ["unitMaskingId"] = s.UnitId }),
        ["remove"] = new("region", "POST /v1/units/{unitMaskingId}/removal", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).RemoveUnitAsync(RemoveUnitRequest.Parser.ParseJson(j), m)),
            s => new() { ["unitMaskingId"] = s.UnitId, ["reason"] = "Ikke mere." }),
        ["units"] = new("region", "GET /v1/units", (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).ListUnitsAsync(ListUnitsRequest.Parser.ParseJson(j), m)), _ => []),
        ["take over"] = new("drift", "POST /v1/organisations/{replacedCvr}/takeover",
            (c, j, m) => Call(new RegistrationService.RegistrationServiceClient(c).TakeOverOrganisationAsync(TakeOverOrganisationRequest.Parser.ParseJson(j), m)),
            _ => new() { ["replacedCvr"] = SharedPlatform.RegionM, ["byCvr"] = SharedPlatform.RegionH }),
        ["cases"] = new("leder", "GET /v1/cases", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).ListCasesAsync(ListCasesRequest.Parser.ParseJson(j), m)), _ => []),
        ["case"] = new("leder", "GET /v1/cases/{caseId}", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).GetCaseAsync(GetCaseRequest.Parser.ParseJson(j), m)),
            s => new() { ["caseId"] = s.MaskingId }),
        ["decide"] = new("leder", "POST /v1/cases/{caseId}/decision", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).DecideAsync(DecideRequest.Parser.ParseJson(j), m)),
            s => new() { ["caseId"] = s.MaskingId, ["decision"] = "DECISION_LIFT", ["reason"] = "Ikke chikane." }),
        ["renew"] = new("leder", "POST /v1/cases/{caseId}/renewal", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).RenewAsync(RenewCaseRequest.Parser.ParseJson(j), m)),
            s => new() { ["caseId"] = s.MaskingId, ["reason"] = "Truer fortsat." }),
        ["ask"] = new("leder", "POST /v1/cases/{caseId}/questions", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).AskAsync(AskRequest.Parser.ParseJson(j), m)),
            s => new() { ["caseId"] = s.MaskingId, ["text"] = "Var der vidner?" }),
        ["answer"] = new("sygeplejerske", "POST /v1/cases/{caseId}/questions/{questionId}/answer", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).AnswerAsync(AnswerRequest.Parser.ParseJson(j), m)),
            s => new() { ["caseId"] = s.MaskingId, ["questionId"] = 1, ["text"] = "Ja." }),
        ["notices"] = new("leder", "GET /v1/notices", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).ListNoticesAsync(ListNoticesRequest.Parser.ParseJson(j), m)), _ => []),
        ["overview"] = new("region", "GET /v1/overview", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).GetOverviewAsync(GetOverviewRequest.Parser.ParseJson(j), m)),
            _ => new() { ["fromMonth"] = "2026-01", ["toMonth"] = "2026-12" }),
        ["complain"] = new("hospitalsledelse", "POST /v1/complaints", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).RegisterComplaintAsync(RegisterComplaintRequest.Parser.ParseJson(j), m)),
            s => new()
            {
                ["complaintId"] = Guid.NewGuid().ToString("D"),
                ["caseId"] = s.MaskingId,
                ["text"] = "Jeg truede ingen.",
                ["receivedOn"] = DanishTime.DayOf(s.Flow.Now).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
                ["complainant"] = "COMPLAINANT_PATIENT",
            }),
        ["complaints"] = new("region", "GET /v1/complaints", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).ListComplaintsAsync(ListComplaintsRequest.Parser.ParseJson(j), m)), _ => []),
        ["complaint"] = new("region", "GET /v1/complaints/{complaintId}", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).GetComplaintAsync(GetComplaintRequest.Parser.ParseJson(j), m)),
            s => new() { ["complaintId"] = s.ComplaintId }),
        ["treat"] = new("region", "POST /v1/complaints/{complaintId}/treatment", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).TreatComplaintAsync(TreatComplaintRequest.Parser.ParseJson(j), m)),
            s => new() { ["complaintId"] = s.ComplaintId, ["treatment"] = "TREATMENT_TAKE_UP" }),
        ["answer-complaint"] = new("region", "POST /v1/complaints/{complaintId}/answer", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).AnswerComplaintAsync(AnswerComplaintRequest.Parser.ParseJson(j), m)),
            s => new() { ["complaintId"] = s.ComplaintId, ["answer"] = "Personalet har ret.", ["outcome"] = "COMPLAINT_OUTCOME_NOT_UPHELD" }),
        ["practice"] = new("region", "GET /v1/practice", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).GetPracticeAsync(GetPracticeRequest.Parser.ParseJson(j), m)), _ => []),
        ["change-practice"] = new("region", "POST /v1/practice", (c, j, m) => Call(new ApprovalService.ApprovalServiceClient(c).ChangePracticeAsync(ChangePracticeRequest.Parser.ParseJson(j), m)),
            _ => new() { ["version"] = 0, ["chosen"] = new JsonObject { ["approvalLevel"] = "hospital" } }),
        ["mask"] = new(View, "POST /v1/mask-entries", (c, j, m) => Call(new EffectuationService.EffectuationServiceClient(c).MaskEntriesAsync(MaskEntriesRequest.Parser.ParseJson(j), m)),
            _ => new() { ["patientCpr"] = People.NextCpr() }),
        ["instructions"] = new(View, "POST /v1/masking-instructions", (c, j, m) => Call(new EffectuationService.EffectuationServiceClient(c).GetMaskingInstructionsAsync(GetMaskingInstructionsRequest.Parser.ParseJson(j), m)),
            _ => new() { ["patientCpr"] = People.NextCpr() }),
        ["compute"] = new(View, "POST /v1/pseudonyms/compute", (c, j, m) => Call(new PseudonymService.PseudonymServiceClient(c).ComputeAsync(ComputeRequest.Parser.ParseJson(j), m)),
            _ => new() { ["patientCpr"] = People.NextCpr(), ["names"] = new JsonArray("Bo Eksempel") }),
        ["resolve"] = new("sagsbehandler", "POST /v1/pseudonyms/resolve", (c, j, m) => Call(new PseudonymService.PseudonymServiceClient(c).ResolveAsync(ResolveRequest.Parser.ParseJson(j), m)),
            _ => new()
            {
                ["patientCpr"] = People.NextCpr(),
                ["pseudonym"] = "6ba7b810-9dad-51d1-80b4-00c04fd430c8",
                ["from"] = "2026-01-01",
                ["to"] = "2026-12-31",
                ["purpose"] = "Aktindsigt.",
                ["candidates"] = new JsonArray("Bo Eksempel"),
            }),
        ["deadlines"] = new("drift", "GET /v1/deadlines", (c, j, m) => Call(new SchedulerService.SchedulerServiceClient(c).ListDeadlinesAsync(ListDeadlinesRequest.Parser.ParseJson(j), m)), _ => []),
        ["search"] = new("revisor", "POST /v1/journals/{service}/search", (c, j, m) => Call(new JournalService.JournalServiceClient(c).SearchJournalAsync(SearchJournalRequest.Parser.ParseJson(j), m)),
            _ => new() { ["service"] = "scheduler" }),
        ["verify"] = new("revisor", "GET /v1/journals/{service}/verification", (c, j, m) => Call(new JournalService.JournalServiceClient(c).VerifyJournalAsync(VerifyJournalRequest.Parser.ParseJson(j), m)),
            _ => new() { ["service"] = "scheduler" }),
        ["compare"] = new("revisor", "POST /v1/journals/{service}/verification", (c, j, m) => Call(new JournalService.JournalServiceClient(c).VerifyJournalAsync(VerifyJournalRequest.Parser.ParseJson(j), m)),
            _ => new() { ["service"] = "scheduler", ["checkpoints"] = new JsonArray("e30.e30.e30") }),
        ["keys"] = new("drift", "POST /v1/keys/{service}/rotation", (c, j, m) => Call(new KeyService.KeyServiceClient(c).RotateKeysAsync(RotateKeysRequest.Parser.ParseJson(j), m)),
            _ => new() { ["service"] = "scheduler" }),
        ["status"] = new("drift", "GET /v1/services/{service}/status", (c, j, m) => Call(new OperationService.OperationServiceClient(c).GetServiceStatusAsync(GetServiceStatusRequest.Parser.ParseJson(j), m)),
            _ => new() { ["service"] = "scheduler" }),
        ["replay"] = new("drift", "POST /v1/services/{service}/replay", (c, j, m) => Call(new OperationService.OperationServiceClient(c).ReplayErrorsAsync(ReplayErrorsRequest.Parser.ParseJson(j), m)),
            _ => new() { ["service"] = "registration", ["queue"] = "registration.add-reason" }),
        ["checkpoints"] = new("revisor", "GET /v1/journals/{service}/checkpoints", (c, j, m) => Call(new JournalService.JournalServiceClient(c).ListCheckpointsAsync(ListCheckpointsRequest.Parser.ParseJson(j), m)),
            _ => new() { ["service"] = "scheduler" }),
    };

    /// <summary>What is made wrong, and the number it must be refused with.</summary>
    private static readonly List<(string EntryPoint, string What, Action<JsonObject, Stage> Spoil, string Code)> Wrong = Table();

    public static TheoryData<string, string, string> WrongRows => new(Wrong.Select(row => (row.EntryPoint, row.What, row.Code)));

    [Theory, MemberData(nameof(WrongRows))] // M2, M4, M8, M9, M10, D2, A5, A9, C2, C3, O2
    public async Task WrongRequest_IsRefusedOnBothWires_AndChangesNothing(string entryPoint, string what, string code)
    {
        var point = EntryPoints[entryPoint];
        var body = point.Valid(stage);
        Wrong.Single(row => (row.EntryPoint, row.What) == (entryPoint, what)).Spoil(body, stage);
        var before = stage.Heads();
        var (status, problem) = await stage.Http(point.Method, point.Path, body, stage.Header(point.Client));
        IsProblem(code, (int)status, problem, body);
        await IsRpcError(code, () => point.Rpc(stage.Platform.Channel, body.ToJsonString(), stage.As(point.Client)), body);
        Assert.Equal(before, stage.Heads());
    }

    public static TheoryData<string> Points => new(EntryPoints.Keys);

    [Theory, MemberData(nameof(Points))] // E8, M2
    public async Task WrongRoleOrToken_IsRefusedOnBothWires_AndChangesNothing(string entryPoint)
    {
        var point = EntryPoints[entryPoint];
        var body = point.Valid(stage);
        var before = stage.Heads();
        // Of every role, one client each: those that may not are told so.
        string[] roles = [Epj, "kilde-hovedstaden", View, "sygeplejerske", "leder", "hospitalsledelse", "region", "national", "sagsbehandler", "revisor", "drift"];
        var allowed = Operations.Allowed[point.Operation];
        foreach (var client in roles.Where(client => !stage.RolesOf(client).Overlaps(allowed)))
        {
            var (status, problem) = await stage.Http(point.Method, point.Path, body, stage.Header(client));
            IsProblem("SLR-902", (int)status, problem, body);
            await IsRpcError("SLR-902", () => point.Rpc(stage.Platform.Channel, body.ToJsonString(), stage.As(client)), body);
        }
        foreach (var (_, token) in stage.BadTokens(point.Client))
        {
            var (status, problem) = await stage.Http(point.Method, point.Path, body, token);
            IsProblem("SLR-901", (int)status, problem, body);
            await IsRpcError("SLR-901", () => point.Rpc(stage.Platform.Channel, body.ToJsonString(), token is null ? [] : new Metadata { { "authorization", token } }), body);
        }
        Assert.Equal(before, stage.Heads());
    }

    public static TheoryData<string, string> Bodies => new()
    {
        { "cut off", "{\"patientCpr\":" },
        { "not JSON", "patientCpr=7101901234" },
        { "an array", "[]" },
        { "a number", "42" },
        { "an unknown field", "{\"patientName\":\"Ida Opdigtet\"}" },
        { "a CVR", "{\"cvr\":\"29190623\"}" },
        { "a wrong type", "{\"patientCpr\":{\"digits\":\"7101901234\"}}" },
        { "an unknown word", "{\"trigger\":\"TRIGGER_UNEASE\"}" },
        { "a bad instant", "{\"endsAt\":\"tomorrow\"}" },
        { "a field twice", "{\"patientCpr\":\"7101901234\",\"patientCpr\":\"7101901235\",\"x\":1}" },
        { "very deep", string.Concat(Enumerable.Repeat("{\"activator\":", 300)) },
    };

    [Theory, MemberData(nameof(Bodies))] // M2
    public async Task UnreadableBody_IsRefused(string what, string body)
    {
        var before = stage.Heads();
        var (status, problem) = await stage.HttpRaw("/v1/maskings", Encoding.UTF8.GetBytes(body));
        Assert.True((int)status == 400, what);
        IsProblem("SLR-904", (int)status, problem, new JsonObject { ["name"] = "Ida Opdigtet", ["cpr"] = "7101901234" });
        Assert.Equal(before, stage.Heads());
    }

    [Fact]
    public async Task InvalidUtf8_IsRefusedOnBothWires()
    {
        var before = stage.Heads();
        var activation = Encoding.UTF8.GetBytes(stage.Flow.Activation(People.NextCpr(), "XX").ToJsonString());
        var at = activation.AsSpan().IndexOf("XX"u8);
        (activation[at], activation[at + 1]) = (0xC3, 0x28);
        var (status, problem) = await stage.HttpRaw("/v1/maskings", activation);
        IsProblem("SLR-904", (int)status, problem, []);

        var request = ActivateRequest.Parser.ParseJson(stage.Flow.Activation(People.NextCpr(), "XX").ToJsonString()).ToByteArray();
        at = request.AsSpan().IndexOf("XX"u8);
        (request[at], request[at + 1]) = (0xC3, 0x28);
        await IsRpcError("SLR-905", () => Raw(request), []);
        Assert.Equal(before, stage.Heads());

        Task Raw(byte[] bytes)
        {
            var asItIs = Marshallers.Create<byte[]>(b => b, b => b);
            var method = new Method<byte[], byte[]>(MethodType.Unary, "sloring.registration.v1.RegistrationService", "Activate", asItIs, asItIs);
            return stage.Platform.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(stage.As(Epj)), bytes).ResponseAsync;
        }
    }

    [Fact] // rules of CPR: never modulus 11
    public async Task CprWithoutValidCheckDigit_IsAccepted()
    {
        foreach (var cpr in (string[])["7001901235", "7001901236", "7001901237", "2512489996"])
            await stage.Flow.Must(View, "/v1/mask-entries", new JsonObject { ["patientCpr"] = cpr });
    }

    [Fact] // M9
    public async Task KeyReplayedWithOtherContent_IsAConflict_AndTheFirstStands()
    {
        var activation = stage.Flow.Activation(People.NextCpr());
        await stage.Flow.Must(Epj, "/v1/maskings", activation);
        await stage.Settled();
        var before = stage.Heads();
        foreach (var (field, other) in ((string, string)[])[("patientCpr", People.NextCpr()), ("reason", "Noget andet."), ("trigger", "TRIGGER_THREATS"), ("behaviourOn", "2025-01-16")])
        {
            var changed = activation.DeepClone().AsObject();
            changed[field] = other;
            var (status, problem) = await stage.Http("POST", "/v1/maskings", changed, stage.Header(Epj));
            IsProblem("SLR-107", (int)status, problem, changed);
            await IsRpcError("SLR-107", () => EntryPoints["activate"].Rpc(stage.Platform.Channel, changed.ToJsonString(), stage.As(Epj)), changed);
        }
        Assert.Equal(before, stage.Heads());
    }

    [Fact]
    public async Task UnknownAddress_IsRefusedWithANumber()
    {
        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Post, "/v1/nothing"), (HttpMethod.Get, "/v2/maskings"), (HttpMethod.Delete, "/v1/maskings")])
        {
            var (status, problem) = await stage.Flow.Send(Epj, method, path, null);
            IsProblem("SLR-917", (int)status, problem, []);
        }
        var (wrong, unknown) = await stage.Flow.Send("leder", HttpMethod.Get, "/v1/cases?sort=patient", null);
        IsProblem("SLR-904", (int)wrong, unknown, []);
    }

    private static void IsProblem(string code, int status, JsonNode problem, JsonObject body)
    {
        Assert.Equal(code, (string?)problem["code"]);
        var rejection = Rejections.All[code];
        Assert.Equal(Statuses[rejection.Kind].Http, status);
        Assert.Equal((rejection.Da, rejection.En), ((string?)problem["da"], (string?)problem["en"]));
        RepeatsNothing(problem.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }), body);
    }

    private static async Task IsRpcError(string code, Func<Task> call, JsonObject body)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        var rejection = Rejections.All[code];
        Assert.Equal((Statuses[rejection.Kind].Grpc, $"{code} {rejection.En}"), (error.StatusCode, error.Status.Detail));
        var bytes = error.Trailers.GetValueBytes("grpc-status-details-bin")!;
        var details = Google.Rpc.Status.Parser.ParseFrom(bytes).Details;
        Assert.Equal(code, details[0].Unpack<ErrorInfo>().Reason);
        Assert.Equal([("da", rejection.Da), ("en", rejection.En)], details.Skip(1).Select(d => d.Unpack<LocalizedMessage>()).Select(m => (m.Locale, m.Message)));
        RepeatsNothing(error.Status.Detail + Encoding.UTF8.GetString(bytes), body);
    }

    private static void RepeatsNothing(string answer, JsonNode body)
    {
        foreach (var value in Leaves(body).Where(value => value.Length >= 6 && !value.StartsWith("TRIGGER", StringComparison.Ordinal)))
            Assert.False(answer.Contains(value, StringComparison.Ordinal), "the answer repeats what was sent");
    }

    private static IEnumerable<string> Leaves(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(p => Leaves(p.Value)),
        JsonArray a => a.SelectMany(Leaves),
        JsonValue v when v.TryGetValue<string>(out var text) => [text],
        _ => [],
    };

    private static Task<T> Call<T>(AsyncUnaryCall<T> call) => call.ResponseAsync;

    internal static JsonObject Nomination(string sorId) => new()
    {
        ["idempotencyKey"] = "unit-" + Guid.NewGuid().ToString("N")[..16],
        ["sorId"] = sorId,
        ["grounds"] = new JsonObject { ["reportedIncidents"] = 14, ["workplaceAssessment"] = "APV 2026-3", ["severity"] = "Slag.", ["whyNotIndividual"] = "Hyppighed." },
    };

    private static List<(string, string, Action<JsonObject, Stage>, string)> Table()
    {
        var rows = new List<(string, string, Action<JsonObject, Stage>, string)>();
        void Set(string point, string field, string code, params (string What, JsonNode? Value)[] values)
        {
            foreach (var (what, value) in values)
                rows.Add((point, $"{field}: {what}", (body, _) => Put(body, field, value?.DeepClone()), code));
        }

        (string, JsonNode?)[] cprs =
        [
            ("empty", ""), ("nine digits", "710190123"), ("eleven digits", "71019012345"), ("hyphen", "710190-1234"), ("letters", "71019O1234"), ("day 0", "0001901234"), ("day 32", "3201901234"),
            ("day 92", "9201901234"), ("month 13", "7113901234"), ("30 February", "9002901234"), ("29 February 1990", "2902901234"), ("Arabic digits", "٧١٠١٩٠١٢٣٤"), ("blank", "7101901234 "),
        ];
        Set("activate", "patientCpr", "SLR-910", cprs);
        Set("mask", "patientCpr", "SLR-910", cprs);
        Set("instructions", "patientCpr", "SLR-910", cprs);
        Set("compute", "patientCpr", "SLR-910", cprs);
        Set("resolve", "patientCpr", "SLR-910", cprs);
        Set("search", "patientCpr", "SLR-910", cprs[1..]);

        Set("take over", "replacedCvr", "SLR-911", ("seven digits", "2919062"), ("wrong check digit", "29190624"), ("letters", "DK29190623"));
        Set("take over", "byCvr", "SLR-911", ("empty", ""), ("left out", null));
        Set("take over", "byCvr", "SLR-128", ("the same", SharedPlatform.RegionM));
        Set("take over", "plan", "SLR-130", ("of nobody's making", "0123456789abcdef0123456789abcdef"), ("a word", "ja"));

        (string, JsonNode?)[] keys = [("empty", ""), ("short", "abcdefg"), ("long", new string('k', 65)), ("blank", "abc def ghi"), ("Danish", "nøgle-1234")];
        Set("activate", "idempotencyKey", "SLR-108", keys);
        Set("nominate", "idempotencyKey", "SLR-108", keys);
        Set("activate", "trigger", "SLR-101", ("unspecified", "TRIGGER_UNSPECIFIED"), ("left out", null));
        Set("activate", "trigger", "SLR-906", ("unknown number", 99));
        Set("activate", "behaviourOn", "SLR-916", ("empty", ""), ("Danish form", "15-01-2025"), ("no such day", "2025-02-29"), ("with time", "2025-01-15T10:00:00Z"), ("words", "i forgårs"));
        Set("activate", "behaviourOn", "SLR-102", ("too early (M8)", "2024-01-31"));
        Set("activate", "behaviourOn", "SLR-103", ("in the future", "2090-01-01"));
        Set("activate", "endsAt", "SLR-106", ("passed", "2025-06-01T00:00:00Z"));
        Set("activate", "endsAt", "SLR-105", ("beyond the limit (M10)", "2090-01-01T00:00:00Z"));
        Set("activate", "activator", "SLR-114", ("left out", null), ("empty", new JsonObject()), ("no role", new JsonObject { ["personId"] = "hw-1001" }));
        Set("activate", "activator.personId", "SLR-914", ("a CPR number", "7101901234"), ("a CPR number with hyphen", "710190-1234"), ("a name", "Ida Opdigtet"), ("long", new string('p', 65)));
        Set("activate", "activator.role", "SLR-116", ("unknown", "secretary"), ("other case", "LEADER"));
        Set("activate", "activator.unitSorId", "SLR-912", ("wrong check digit", "1000111000016002"), ("letters", "SOR10001110"));

        (string, JsonNode?)[] texts = [("over-long", new string('x', 4_001)), ("control character", "Slog\u0007 ud."), ("null character", "Slog\u0000ud.")];
        Set("activate", "reason", "SLR-905", texts);
        foreach (var (point, field, empty) in ((string, string, string)[])
            [("reason", "reason", "SLR-111"), ("end", "reason", "SLR-113"), ("remove", "reason", "SLR-113"), ("decide", "reason", "SLR-207"), ("renew", "reason", "SLR-210"), ("ask", "text", "SLR-212"), ("answer", "text", "SLR-212"),
             ("complain", "text", "SLR-218"), ("answer-complaint", "answer", "SLR-225")])
        {
            Set(point, field, "SLR-905", texts);
            Set(point, field, empty, ("empty", ""), ("blank", " \t\n"), ("left out", null));
        }

        (string, JsonNode?)[] ids = [("short", "abc"), ("no hyphens", "0190c1b27cbe7d0c9e3f1f2a3b4c5d6e"), ("letters", "0190c1b2-7cbe-7d0c-9e3f-zzzzzzzzzzzz")];
        foreach (var (point, field, absent) in ((string, string, string)[])
        [
            ("reason", "maskingId", "SLR-109"), ("end", "maskingId", "SLR-109"), ("review", "unitMaskingId", "SLR-121"), ("confirm", "unitMaskingId", "SLR-121"), ("remove", "unitMaskingId", "SLR-121"),
            ("case", "caseId", "SLR-201"), ("decide", "caseId", "SLR-201"), ("renew", "caseId", "SLR-201"), ("ask", "caseId", "SLR-201"), ("answer", "caseId", "SLR-201"),
            ("complain", "caseId", "SLR-201"), ("complaint", "complaintId", "SLR-217"), ("treat", "complaintId", "SLR-217"), ("answer-complaint", "complaintId", "SLR-217"),
        ])
        {
            Set(point, field, "SLR-914", ids);
            Set(point, field, absent, ("unknown", "0190c1b2-7cbe-7d0c-9e3f-1f2a3b4c5d6e"));
            if (field is "maskingId" or "caseId")
                rows.Add((point, field + ": another organisation's", (body, s) => body[field] = s.OtherMaskingId, absent));
        }
        Set("answer", "questionId", "SLR-213", ("unknown", 7), ("negative", -1));
        Set("decide", "decision", "SLR-215", ("unspecified", "DECISION_UNSPECIFIED"), ("left out", null));
        Set("decide", "decision", "SLR-906", ("unknown number", 99));
        Set("decide", "decision", "SLR-204", ("uphold without a reason (M5)", "DECISION_UPHOLD"));
        rows.Add(("renew", "not upheld (A9)", (_, _) => { }, "SLR-211"));
        Set("complain", "complaintId", "SLR-914", ids);
        Set("complain", "receivedOn", "SLR-916", ("empty", ""), ("Danish form", "15-01-2025"), ("no such day", "2025-02-29"));
        Set("complain", "receivedOn", "SLR-219", ("before the activation (C3)", "2024-03-01"), ("in the future (C3)", "2090-01-01"));
        Set("complain", "complainant", "SLR-220", ("unspecified", "COMPLAINANT_UNSPECIFIED"), ("left out", null));
        Set("complain", "complainant", "SLR-906", ("unknown number", 99));
        rows.Add(("complain", "complaintId: of another complaint (C3)", (body, s) => (body["complaintId"], body["text"]) = (s.ComplaintId, "Noget andet."), "SLR-221"));
        Set("treat", "treatment", "SLR-906", ("unspecified", "TREATMENT_UNSPECIFIED"), ("unknown number", 99), ("left out", null));
        Set("answer-complaint", "outcome", "SLR-226", ("unspecified", "COMPLAINT_OUTCOME_UNSPECIFIED"), ("left out", null));
        Set("answer-complaint", "outcome", "SLR-906", ("unknown number", 99));
        rows.Add(("answer-complaint", "not taken up (C3)", (_, _) => { }, "SLR-223"));
        Set("change-practice", "version", "SLR-228", ("of nothing", 7), ("negative", -1));
        Set("change-practice", "chosen.approvalLevel", "SLR-229", ("empty (A1)", ""), ("unknown (A1)", "ward-7"));
        Set("change-practice", "chosen.decisionWorkingDays", "SLR-231", ("none (A2)", 0), ("too many (A2)", 31));
        Set("change-practice", "chosen.expiryNoticeDays", "SLR-232", ("none (A8)", 0), ("too many (A8)", 90));
        Set("change-practice", "chosen.extraNonWorkingDays", "SLR-230", ("Danish form (A2)", new JsonObject { ["days"] = new JsonArray("5. juni") }), ("twice (A2)", new JsonObject { ["days"] = new JsonArray("06-05", "06-05") }));
        Set("review", "review", "SLR-906", ("unspecified", "REVIEW_UNSPECIFIED"), ("unknown number", 99));
        Set("review", "review", "SLR-127", ("refused without a reason", "REVIEW_REFUSED"), ("returned without a reason", "REVIEW_RETURNED"));
        rows.Add(("confirm", "not reviewed (D3)", (_, _) => { }, "SLR-122"));
        rows.Add(("remove", "not in force", (_, _) => { }, "SLR-122"));
        Set("nominate", "sorId", "SLR-912", ("wrong check digit", "1000211000016008"), ("letters", "psykiatrisk"));
        Set("nominate", "sorId", "SLR-124", ("left out", null), ("not in the register", Enumerable.Range(0, 10).Select(check => $"900001100001600{check}").Single(id => SorId.IsValid(id))));
        Set("nominate", "sorId", "SLR-125", ("another organisation's (D2)", "2000111000016002"));
        Set("nominate", "sorId", "SLR-126", ("a whole organisation (D2)", "1000011000016002"));
        Set("nominate", "sorId", "SLR-120", ("nominated already", "1000121000016005"));
        Set("nominate", "shak", "SLR-124", ("beside a SOR id", "139920"));
        rows.Add(("nominate", "shak: wrong form", (body, _) => { body.Remove("sorId"); body["shak"] = "13-99"; }, "SLR-913"));
        Set("nominate", "grounds", "SLR-123", ("left out", null));
        Set("nominate", "grounds.reportedIncidents", "SLR-123", ("none", 0), ("negative", -3));
        foreach (var ground in (string[])["workplaceAssessment", "severity", "whyNotIndividual"])
        {
            Set("nominate", "grounds." + ground, "SLR-123", ("empty", ""), ("blank", "  "));
            Set("nominate", "grounds." + ground, "SLR-905", texts);
        }
        foreach (var point in (string[])["maskings", "units", "cases", "notices", "deadlines", "complaints"])
        {
            Set(point, "pageSize", "SLR-915", ("negative", -1), ("too large", 501));
            Set(point, "pageToken", "SLR-915", ("invented", "%%%not-a-token"), ("too long", new string('t', 500)));
        }
        Set("search", "pageSize", "SLR-915", ("too large", 501));
        Set("search", "pageToken", "SLR-915", ("invented", "!!!!"));
        Set("search", "service", "SLR-906", ("unknown", "accounts"));
        Set("verify", "service", "SLR-906", ("unknown", "accounts"));
        Set("compare", "checkpoints", "SLR-907", ("too many", Many(10_001)));
        Set("keys", "service", "SLR-906", ("unknown", "accounts"));
        Set("checkpoints", "service", "SLR-906", ("unknown", "accounts"));
        Set("status", "service", "SLR-906", ("unknown", "accounts"));
        Set("replay", "service", "SLR-906", ("unknown", "accounts"));
        Set("replay", "queue", "SLR-922", ("unknown", "registration.other"), ("empty", ""), ("another service's", "effectuation.data-source-update"), ("its errors", "registration.add-reason.errors"));
        rows.Add(("replay", "no broker", (_, _) => { }, "SLR-923"));
        Set("search", "purpose", "SLR-905", ("over-long", new string('x', 1_001)), ("control character", "Til\u0007syn"));
        Set("search", "actor", "SLR-914", ("a name", "Ida Opdigtet"));
        Set("overview", "fromMonth", "SLR-216", ("empty", ""), ("a day", "2026-01-01"), ("no such month", "2026-13"), ("after the last", "2027-01"), ("too far back", "2020-01"));
        Set("overview", "toMonth", "SLR-216", ("words", "december"));
        Set("resolve", "purpose", "SLR-402", ("empty", ""), ("blank", "  "), ("over-long", new string('x', 1_001)), ("control character", "Akt\u0007indsigt"));
        Set("resolve", "pseudonym", "SLR-403", ("empty", ""), ("short", "6ba7b810"), ("a name", "Ida Opdigtet"));
        Set("resolve", "from", "SLR-404", ("empty", ""), ("no such day", "2026-02-30"), ("after the last", "2027-01-01"));
        Set("resolve", "candidates", "SLR-405", ("none", new JsonArray()), ("too many", Many(10_001)));
        Set("resolve", "candidates", "SLR-406", ("an empty name", new JsonArray("Bo Eksempel", "")), ("a long name", new JsonArray(new string('n', 201))));
        Set("compute", "names", "SLR-406", ("an empty name", new JsonArray("")), ("a long name", new JsonArray(new string('n', 201))));
        rows.Add(("mask", "entries: too many", (body, _) => body["entries"] = new JsonArray([.. Enumerable.Range(0, 10_001).Select(_ => new JsonObject())]), "SLR-502"));
        return rows;
    }

    private static JsonArray Many(int count) => new([.. Enumerable.Range(0, count).Select(_ => JsonValue.Create("Bo Eksempel"))]);

    private static void Put(JsonObject body, string path, JsonNode? value)
    {
        var parts = path.Split('.');
        var at = parts[..^1].Aggregate(body, (o, part) => o[part]!.AsObject());
        if (value is null)
            at.Remove(parts[^1]);
        else
            at[parts[^1]] = value;
    }

    internal sealed record EntryPoint(string Client, string Route, Func<GrpcChannel, string, Metadata, Task> Rpc, Func<Stage, JsonObject> Valid)
    {
        public string Method => Route.Split(' ')[0];

        public string Path => Route.Split(' ')[1];

        /// <summary>The operation behind the route, as the host has it.</summary>
        public string Operation => (Method, Path) switch
        {
            ("POST", "/v1/maskings") => Operations.Activate,
            ("POST", "/v1/maskings/{maskingId}/reason") => Operations.AddReason,
            ("POST", "/v1/maskings/{maskingId}/end") => Operations.End,
            ("GET", "/v1/maskings") => Operations.ListMaskings,
            ("POST", "/v1/organisations/{replacedCvr}/takeover") => Operations.TakeOverOrganisation,
            ("POST", "/v1/units") => Operations.NominateUnit,
            ("POST", "/v1/units/{unitMaskingId}/review") => Operations.ReviewUnit,
            ("POST", "/v1/units/{unitMaskingId}/confirmation") => Operations.ConfirmUnit,
            ("POST", "/v1/units/{unitMaskingId}/removal") => Operations.RemoveUnit,
            ("GET", "/v1/units") => Operations.ListUnits,
            ("GET", "/v1/cases") => Operations.ListCases,
            ("GET", "/v1/cases/{caseId}") => Operations.GetCase,
            ("POST", "/v1/cases/{caseId}/decision") => Operations.Decide,
            ("POST", "/v1/cases/{caseId}/renewal") => Operations.RenewCase,
            ("POST", "/v1/cases/{caseId}/questions") => Operations.Ask,
            ("POST", "/v1/cases/{caseId}/questions/{questionId}/answer") => Operations.Answer,
            ("GET", "/v1/notices") => Operations.ListNotices,
            ("GET", "/v1/overview") => Operations.GetOverview,
            ("POST", "/v1/complaints") => Operations.RegisterComplaint,
            ("GET", "/v1/complaints") => Operations.ListComplaints,
            ("GET", "/v1/complaints/{complaintId}") => Operations.GetComplaint,
            ("POST", "/v1/complaints/{complaintId}/treatment") => Operations.TreatComplaint,
            ("POST", "/v1/complaints/{complaintId}/answer") => Operations.AnswerComplaint,
            ("GET", "/v1/practice") => Operations.GetPractice,
            ("POST", "/v1/practice") => Operations.ChangePractice,
            ("POST", "/v1/mask-entries") => Operations.MaskEntries,
            ("POST", "/v1/masking-instructions") => Operations.GetMaskingInstructions,
            ("POST", "/v1/pseudonyms/compute") => Operations.ComputePseudonyms,
            ("POST", "/v1/pseudonyms/resolve") => Operations.ResolvePseudonym,
            ("GET", "/v1/deadlines") => Operations.ListDeadlines,
            ("POST", "/v1/journals/{service}/search") => Operations.SearchJournal,
            (_, "/v1/journals/{service}/verification") => Operations.VerifyJournal,
            ("POST", "/v1/keys/{service}/rotation") => Operations.RotateKeys,
            ("GET", "/v1/journals/{service}/checkpoints") => Operations.ListCheckpoints,
            ("GET", "/v1/services/{service}/status") => Operations.GetServiceStatus,
            ("POST", "/v1/services/{service}/replay") => Operations.ReplayErrors,
            _ => throw new InvalidOperationException(Route),
        };
    }

    /// <summary>A platform with one undecided masking without reason, another organisation's masking, one complaint, and one nomination; nothing else happens on it.</summary>
    public sealed class Stage : IAsyncLifetime
    {
        private static readonly string[] Clients =
            ["epj-hovedstaden", "kilde-hovedstaden", "borgervisning", "sygeplejerske", "leder", "hospitalsledelse", "region", "national", "sagsbehandler", "revisor", "drift"];

        private readonly Dictionary<string, Metadata> _tokens = [];
        private readonly HttpClient _http = new();
        private string _expired = "";

        public SharedPlatform Flow { get; } = new();

        public Platform Platform => Flow.Platform;

        public string MaskingId { get; private set; } = "";

        public string OtherMaskingId { get; private set; } = "";

        public string UnitId { get; private set; } = "";

        public string ComplaintId { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            await Flow.InitializeAsync();
            _expired = await Platform.Client.Token("leder", CancellationToken.None);
            await Flow.MoveTo(Flow.Now.AddHours(2));
            await Eventually.True(async () => (await Flow.Get("revisor", "/v1/journals/registration/checkpoints"))["checkpoints"] is not null, "the hours jumped over have their checkpoint");
            MaskingId = (string)(await Flow.Activated(People.NextCpr(), reason: null))["maskingId"]!;
            OtherMaskingId = (string)(await Flow.ActivatedInM(People.NextCpr()))["maskingId"]!;
            await Flow.Must("leder", $"/v1/cases/{MaskingId}/questions", new JsonObject { ["text"] = "Var der vidner?" });
            UnitId = (string)(await Flow.Must("hospitalsledelse", "/v1/units", Nomination("1000121000016005")))["unit"]!["unitMaskingId"]!;
            ComplaintId = (string)(await Flow.Must("hospitalsledelse", "/v1/complaints", EntryPoints["complain"].Valid(this)))["summary"]!["complaintId"]!;
            foreach (var client in Clients)
                _tokens[client] = await Platform.As(client);
            await Settled();
        }

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await Flow.DisposeAsync();
        }

        public Metadata As(string client) => _tokens[client];

        public string? Header(string client) => _tokens[client].GetValue("authorization");

        /// <summary>Journal heads of all services that change state: equal before and after means that nothing changed.</summary>
        public string Heads() => string.Join(' ', Platform.Services.GetServices<IServiceJournal>()
            .Where(j => j.Service is "registration" or "approval").OrderBy(j => j.Service, StringComparer.Ordinal).Select(j => $"{j.Service}:{j.Tail.Head}"));

        /// <summary>Every event has been reacted to: each masking has its case and its deadlines.</summary>
        public async Task Settled()
        {
            await Eventually.True(async () =>
            {
                var maskings = (await Flow.Get("epj-hovedstaden", "/v1/maskings?page_size=500"))["maskings"]!.AsArray().Count;
                return (await Flow.Get("leder", "/v1/cases?page_size=500"))["cases"]?.AsArray().Count == maskings
                    && (await Flow.Get("leder", "/v1/notices?page_size=500"))["notices"]?.AsArray().Count(n => (string?)n!["kind"] == "leader-told") == maskings;
            }, "every masking has its case");
        }

        public IReadOnlySet<string> RolesOf(string client)
        {
            var payload = _tokens[client].GetValue("authorization")![7..].Split('.')[1];
            var json = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(payload))!;
            return (json["roles"] is JsonArray many ? many.Select(r => (string)r!) : [(string)json["roles"]!]).ToHashSet();
        }

        /// <summary>Tokens that must not be believed, as an Authorization header; null for none.</summary>
        public IEnumerable<(string What, string? Header)> BadTokens(string client)
        {
            var good = _tokens[client].GetValue("authorization")!;
            var parts = good[7..].Split('.');
            yield return ("missing", null);
            yield return ("not Bearer", "Basic bGVkZXI6bGVkZXI=");
            yield return ("garbage", "Bearer abc.def.ghi");
            yield return ("expired", "Bearer " + _expired);
            yield return ("forged payload", $"Bearer {parts[0]}.{Altered(parts[1])}.{parts[2]}");
            yield return ("no algorithm", $"Bearer {Encoded("{\"alg\":\"none\",\"typ\":\"at+jwt\"}")}.{parts[1]}.");
            yield return ("signed with the public key", "Bearer " + SignedWithThePublicKey(parts));
            yield return ("another type", "Bearer " + Signer(Platform.HttpAddress, "sloring", Platform.Clock).Sign("JWT", "ld-2001", "sloring", TimeSpan.FromMinutes(5), AnyRole("leader")));
            yield return ("not yet", "Bearer " + Signer(Platform.HttpAddress, "sloring", new Ahead(Platform.Clock)).SignAccess("ld-2001", AnyRole("leader")));
            yield return ("other audience", "Bearer " + Signed("leader", Platform.HttpAddress, "other"));
            yield return ("other issuer", "Bearer " + Signed("leader", "http://127.0.0.1:1", "sloring"));
        }

        /// <summary>Sends a request by its HTTP form: what stands in the address leaves the body, or goes into the query of a GET.</summary>
        public Task<(HttpStatusCode Status, JsonNode Body)> Http(string method, string path, JsonObject body, string? header)
        {
            var rest = body.DeepClone().AsObject();
            foreach (var (name, value) in body)
            {
                if (path.Contains('{' + name + '}', StringComparison.Ordinal))
                {
                    path = path.Replace('{' + name + '}', value!.ToString(), StringComparison.Ordinal);
                    rest.Remove(name);
                }
            }
            if (method == "GET" && rest.Count > 0)
                path += "?" + string.Join('&', rest.Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value!.ToString())}"));
            return Sent(new HttpMethod(method), path, method == "GET" ? null : Encoding.UTF8.GetBytes(rest.ToJsonString()), header);
        }

        public Task<(HttpStatusCode Status, JsonNode Body)> HttpRaw(string path, byte[] body) =>
            Sent(HttpMethod.Post, path, body, _tokens["epj-hovedstaden"].GetValue("authorization"));

        private async Task<(HttpStatusCode, JsonNode)> Sent(HttpMethod method, string path, byte[]? body, string? header)
        {
            using var request = new HttpRequestMessage(method, Platform.HttpAddress + path);
            if (header is not null)
                request.Headers.TryAddWithoutValidation("Authorization", header);
            if (body is not null)
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var response = await _http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return (response.StatusCode, text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!);
        }

        private string Signed(string role, string issuer, string audience) => Signer(issuer, audience, Platform.Clock).SignAccess("ld-2001", AnyRole(role));

        private TokenSigner Signer(string issuer, string audience, TimeProvider clock) => new(
            Options.Create(new TokenOptions { Issuer = issuer, Audience = audience }), Options.Create(new TokenServiceOptions()),
            Platform.Services.GetRequiredService<SecretStore>(), Platform.Services.GetRequiredService<TokenState>(), Platform.Services.GetRequiredService<Sealer>(), clock);

        private static Dictionary<string, object> AnyRole(string role) =>
            new() { ["client_id"] = "leder", ["roles"] = Hosting.Roles.All.Append(role).Distinct().ToArray(), ["cvr"] = "29190623", ["person"] = "ld-2001" };

        /// <summary>As whoever takes the key for one of HMAC would sign: everybody has it.</summary>
        private string SignedWithThePublicKey(string[] parts)
        {
            var key = JsonNode.Parse(Platform.Services.GetRequiredService<TokenSigner>().Jwks())!["keys"]![0]!;
            var signed = Encoded(new JsonObject { ["alg"] = "HS256", ["typ"] = "at+jwt", ["kid"] = key["kid"]!.DeepClone() }.ToJsonString()) + "." + parts[1];
            return signed + "." + System.Buffers.Text.Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key.ToJsonString()), Encoding.ASCII.GetBytes(signed)));
        }

        /// <summary>A token service whose clock is ahead by more than is let pass.</summary>
        private sealed class Ahead(TimeProvider of) : TimeProvider
        {
            public override DateTimeOffset GetUtcNow() => of.GetUtcNow().AddMinutes(2);
        }

        private static string Altered(string payload)
        {
            var claims = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(payload))!;
            claims["cvr"] = "29190925";
            return Encoded(claims.ToJsonString());
        }

        private static string Encoded(string json) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }
}
