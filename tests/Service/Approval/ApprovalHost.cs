using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Sloring.Approval;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Service.Approval;

/// <summary>
/// Approval in a host of its own on loopback, with SQLite files in a folder of its own. Registration and Scheduler are stood in for by
/// their journals, relayed as in life, and by one rpc. The clock stands until it is moved; tokens are signed here.
/// </summary>
public sealed class ApprovalHost : IAsyncDisposable
{
    public const string Cvr = "29190623";
    public const string OtherCvr = "29190925";
    public const string Region = "1000011000016002";
    public const string Hospital = "1000021000016006";
    public const string Department = "1000101000016003";
    public const string Section = "1000111000016001";
    public const string Cpr = "6703701234";

    public static readonly Person Nurse = new("nurse-1", Cvr, ["health-worker"], Section);
    public static readonly Person HospitalLeader = new("leader-1", Cvr, ["leader"], Hospital);
    public static readonly Person DepartmentLeader = new("leader-2", Cvr, ["leader", "health-worker"], Department);
    public static readonly Person RegionLeader = new("leader-3", Cvr, ["leader", "region"], Region);
    public static readonly Person Overseer = new("overseer-1", Cvr, ["region"], Region);
    public static readonly Person StrangerLeader = new("leader-1", OtherCvr, ["leader", "region"], Hospital);

    private readonly WebApplication _app;
    private readonly HttpClient _http;
    private readonly SigningCredentials _signing;
    private readonly Lazy<Sealer> _sealer;

    private ApprovalHost(WebApplication app, HttpClient http, SigningCredentials signing, MovedClock clock, string folder, Uri grpc)
    {
        (_app, _http, _signing, Clock, Folder, Grpc) = (app, http, signing, clock, folder, grpc);
        _sealer = new Lazy<Sealer>(() => app.Services.GetRequiredService<Sealer>());
    }

    public MovedClock Clock { get; }

    public string Folder { get; }

    public Uri Grpc { get; }

    public Store<ApprovalDb> Store => _app.Services.GetRequiredService<Store<ApprovalDb>>();

    public RegistrationStandIn Registration => _app.Services.GetRequiredService<RegistrationStandIn>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Starts at Monday 5 January 2026, 10:00 in Denmark.</summary>
    public static async Task<ApprovalHost> Start(params (string Setting, string Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("approval-").FullName;
        var clock = new MovedClock { Now = At("2026-01-05T09:00Z") };
        var (http, grpc) = (Platform.FreePort(), Platform.FreePort());
        var signing = new SigningCredentials(new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)), SecurityAlgorithms.EcdsaSha256);

        var builder = WebApplication.CreateBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(
            settings.Select(pair => KeyValuePair.Create(pair.Setting, (string?)pair.Value)))
        {
            ["Listen:Http"] = $"http://127.0.0.1:{http}",
            ["Listen:Grpc"] = $"http://127.0.0.1:{grpc}",
            ["Data:Folder"] = folder,
            ["Secrets:File"] = Path.Combine(folder, "secrets.json"),
            ["Secrets:CreateMissing"] = "true",
            ["Token:Issuer"] = $"http://127.0.0.1:{http}",
            ["Organisations:File"] = OrganisationFile(folder),
            ["Services:registration"] = $"http://127.0.0.1:{grpc}",
            ["Services:scheduler"] = $"http://127.0.0.1:{grpc}",
        });
        builder.Logging.ClearProviders().AddProvider(new CapturedLog("approval"));
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.AddHosting();
        builder.Services.UseTestDatabase(folder);
        builder.AddApproval();
        builder.AddService<RegistrationJournal>("registration");
        builder.AddService<SchedulerJournal>("scheduler");
        builder.Services.AddSingleton<RegistrationStandIn>();
        builder.Services.Configure<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme, bearer =>
        {
            // There is no token service here to fetch keys from.
            bearer.ConfigurationManager = null;
            bearer.Configuration = new OpenIdConnectConfiguration();
            bearer.TokenValidationParameters.IssuerSigningKeyResolverUsingConfiguration = null;
            bearer.TokenValidationParameters.IssuerSigningKey = signing.Key;
            bearer.TokenValidationParameters.TryAllIssuerSigningKeys = true;
        });

        var app = builder.Build();
        app.UseHosting();
        app.MapApproval();
        app.MapGrpcService<RegistrationStandIn>();
        var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{http}") };
        var host = new ApprovalHost(app, client, signing, clock, folder, new Uri($"http://127.0.0.1:{grpc}"));
        var service = new Person("service", null, ["service"], null);
        app.MapPost("/connect/token", () => Results.Json(new { access_token = host.Token(service), expires_in = 60 })).AllowAnonymous();
        await app.MakeReady(folder);
        await app.StartAsync(Cancel);
        return host;
    }

    public static DateTimeOffset At(string utc) => DateTimeOffset.Parse(utc, CultureInfo.InvariantCulture);

    /// <summary>An activation by <see cref="Nurse"/>, now, of 90 days.</summary>
    public RegistrationActivated Activation(string? reason = "Truede personalet", string? supersedes = null, string? unit = Section) => new()
    {
        MaskingId = Guid.CreateVersion7(Clock.Now).ToString("D"),
        PatientKey = _app.Services.GetRequiredService<PatientKeys>().Of(CprNumber.Parse(Cpr)).ToString(),
        SealedCpr = _sealer.Value.Seal(Cpr, SealedFor.Cpr),
        Cvr = Cvr,
        Trigger = "threats",
        BehaviourOn = DanishTime.DayOf(Clock.Now),
        ActivatedAt = Clock.Now,
        EndsAt = DanishTime.AddDays(Clock.Now, 90),
        ActivatedBy = Nurse.Id,
        ActivatorRole = "health-worker",
        UnitSorId = unit,
        SealedReason = reason is null ? null : Sealed(reason),
        SupersededMaskingId = supersedes,
    };

    /// <summary>Activates and waits for the case.</summary>
    public async Task<string> OpenCase(string? reason = "Truede personalet", string? supersedes = null, string? unit = Section)
    {
        var activation = Activation(reason, supersedes, unit);
        await Publish(activation);
        return activation.MaskingId;
    }

    public string Sealed(string reason) => _sealer.Value.Seal(reason, SealedFor.Reason);

    /// <summary>Publishes as Registration and waits until Approval has applied it.</summary>
    public async Task Publish(IEvent e) => await Applied("registration", await Append<RegistrationJournal>(e));

    public Task<long> Append<TDb>(IEvent e) where TDb : ServiceDb =>
        _app.Services.GetRequiredService<Store<TDb>>().Write("test", scope => scope.Append(e), Cancel);

    /// <summary>
    /// Moves the clock to the next deadline of a kind that Approval has set and not cancelled, and fires it as Scheduler would.
    /// </summary>
    public async Task<DeadlineReached> Reach(string caseId, string kind)
    {
        var next = (await Pending(caseId)).Where(deadline => deadline.Kind == kind).MinBy(deadline => deadline.DueAt)!;
        Clock.Now = next.DueAt > Clock.Now ? next.DueAt : Clock.Now;
        var reached = new DeadlineReached
        {
            DeadlineId = next.DeadlineId,
            Owner = next.Owner,
            About = next.About,
            Kind = next.Kind,
            DueAt = next.DueAt,
            FiredAt = Clock.Now,
        };
        await Fire(reached);
        return reached;
    }

    public async Task Fire(DeadlineReached reached) => await Applied("scheduler", await Append<SchedulerJournal>(reached));

    /// <summary>Deadlines as Scheduler knows them: set, less cancelled, less fired.</summary>
    public async Task<IReadOnlyList<DeadlineSet>> Pending(string caseId)
    {
        var events = await Events();
        var gone = events.OfType<DeadlineCancelled>().Select(e => e.DeadlineId).ToHashSet();
        var scheduler = _app.Services.GetRequiredService<Store<SchedulerJournal>>();
        foreach (var entry in await scheduler.ReadAfter(0, 10_000, Cancel))
            gone.Add(((DeadlineReached)EventJson.Read(entry.Type, entry.Data)).DeadlineId);
        return [.. events.OfType<DeadlineSet>().Where(e => e.About == caseId && !gone.Contains(e.DeadlineId))];
    }

    /// <summary>Erases what is to be erased by now.</summary>
    public Task Erase() => _app.Services.GetServices<IHostedService>().OfType<EraseOnSchedule>().Single().EraseAll(Cancel);

    /// <summary>Approval's journal.</summary>
    public async Task<IReadOnlyList<IEvent>> Events() =>
        [.. (await Store.Query(all => all.OrderBy(entry => entry.Position), Cancel)).Select(entry => EventJson.Read(entry.Type, entry.Data))];

    public Task<ApprovalCase> Row(string caseId) => Store.Read(db => db.Cases.Include(c => c.Steps).SingleAsync(c => c.CaseId == caseId, Cancel), Cancel);

    /// <summary>Calls by HTTP+JSON.</summary>
    public async Task<Answered> Call(Person person, string method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token(person));
        if (body is not null)
            request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        return new Answered(response.StatusCode, text, text.Length > 0 ? JsonDocument.Parse(text).RootElement : default);
    }

    /// <summary>The kinds of a person's notices, newest first.</summary>
    public static async Task<IEnumerable<string?>> Notices(ApprovalHost host, Person person) =>
        (await host.Call(person, "GET", "/v1/notices")).List("notices").Select(notice => notice.GetProperty("kind").GetString());

    /// <summary>Metadata of a call by gRPC.</summary>
    public Metadata As(Person person) => new() { { "authorization", "Bearer " + Token(person) } };

    public string Token(Person person)
    {
        var claims = new Dictionary<string, object>
        {
            ["sub"] = person.Id,
            ["client_id"] = "client-of-" + person.Id,
            ["roles"] = person.Roles,
            ["person"] = person.Id,
        };
        if (person.Cvr is not null)
            claims["cvr"] = person.Cvr;
        if (person.Unit is not null)
            claims["unit"] = person.Unit;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "at+jwt",
            Issuer = _app.Configuration["Token:Issuer"],
            Audience = "sloring",
            Expires = Clock.Now.UtcDateTime.AddMinutes(5),
            Claims = claims,
            SigningCredentials = _signing,
        });
    }

    /// <summary>Waits, at most 15 seconds, until Approval has applied what stands at a position of a publisher's journal.</summary>
    public async Task Applied(string publisher, long position)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(15));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await Store.Read(
            async db => await db.Inbox.AnyAsync(e => e.Publisher == publisher && e.Position == position, Cancel)
                || await db.Cursors.AnyAsync(c => c.Publisher == publisher && c.Position >= position, Cancel),
            Cancel))
            Assert.True(await tick.WaitForNextTickAsync(limit.Token));
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        await KeptScan.Discard(Folder, "approval");
    }

    private static string OrganisationFile(string folder)
    {
        var path = Path.Combine(folder, "organisations.csv");
        File.WriteAllLines(path,
        [
            "sor_id;name;level;parent_sor_id;cvr;shak",
            $"{Region};Region;region;;{Cvr};",
            $"{Hospital};Hospital;hospital;{Region};{Cvr};1399",
            $"{Department};Department;department;{Hospital};{Cvr};139910",
            $"{Section};Section;section;{Department};{Cvr};1399101",
            $"2000011000016003;Other;region;;{OtherCvr};",
        ]);
        return path;
    }
}

/// <summary>Somebody with a token.</summary>
public sealed record Person(string Id, string? Cvr, string[] Roles, string? Unit);

/// <summary>An answer over HTTP+JSON.</summary>
public sealed record Answered(HttpStatusCode Status, string Text, JsonElement Json)
{
    /// <summary>The rejection's number; null where the answer is none.</summary>
    public string? Code => Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty("code", out var code) ? code.GetString() : null;

    public JsonElement this[string name] => Json.GetProperty(name);

    /// <summary>A list; protobuf's JSON leaves an empty one out, but never what was refused.</summary>
    public IReadOnlyList<JsonElement> List(string name)
    {
        Assert.Equal(HttpStatusCode.OK, Status);
        return Json.TryGetProperty(name, out var list) ? [.. list.EnumerateArray()] : [];
    }
}

public sealed class MovedClock : TimeProvider
{
    public DateTimeOffset Now { get; set; }

    public override DateTimeOffset GetUtcNow() => Now;
}

public sealed class RegistrationJournal(DbContextOptions<RegistrationJournal> options) : ServiceDb(options);

public sealed class SchedulerJournal(DbContextOptions<SchedulerJournal> options) : ServiceDb(options);

/// <summary>Registration's Renew: extends, or answers as told.</summary>
public sealed class RegistrationStandIn : RegistrationService.RegistrationServiceBase
{
    public Func<RenewRequest, RenewResponse>? Answers { get; set; }

    public List<RenewRequest> Asked { get; } = [];

    [Authorize(Operations.RenewMasking)]
    public override Task<RenewResponse> Renew(RenewRequest request, ServerCallContext context)
    {
        Asked.Add(request);
        return Task.FromResult(Answers?.Invoke(request) ?? new RenewResponse
        {
            EndsAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DanishTime.AddDays(request.ExtendsEnd.ToDateTimeOffset(), 90)),
        });
    }
}
