using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Scheduler;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Service.Scheduler;

/// <summary>A process with the scheduler, the token service and two owners of deadlines that are nothing but a journal, on a demo clock.</summary>
public sealed class SchedulerHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http;
    private readonly string _folder;

    private SchedulerHost(WebApplication app, string folder, Uri address, DemoClock clock)
    {
        (_app, _folder, Clock) = (app, folder, clock);
        _http = new HttpClient { BaseAddress = address };
    }

    public DemoClock Clock { get; }

    public Store<SchedulerDb> Store => _app.Services.GetRequiredService<Store<SchedulerDb>>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Starts on a folder; a second start on the same folder is a restart.</summary>
    public static async Task<SchedulerHost> Start(string folder)
    {
        var organisations = Path.Combine(folder, "organisations.csv");
        await File.WriteAllTextAsync(organisations, "sor_id;name;level;parent_sor_id;cvr;shak\n", Cancel);
        var (http, grpc) = ($"http://127.0.0.1:{Platform.FreePort()}", $"http://127.0.0.1:{Platform.FreePort()}");
        var clock = new DemoClock(Path.Combine(folder, "clock"));
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = folder, EnvironmentName = "Production" });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Listen:Http"] = http,
            ["Listen:Grpc"] = grpc,
            ["Data:Folder"] = folder,
            ["Secrets:File"] = Path.Combine(folder, "secrets.json"),
            ["Secrets:CreateMissing"] = "true",
            ["Token:Issuer"] = http,
            ["Organisations:File"] = organisations,
            ["Services:registration"] = grpc,
            ["Services:approval"] = grpc,
            ["Services:scheduler"] = grpc,
            ["Tokens:Clients:0:Id"] = "scheduler",
            ["Tokens:Clients:0:Roles:0"] = Roles.Service,
            ["Tokens:Clients:1:Id"] = "operator",
            ["Tokens:Clients:1:Roles:0"] = Roles.Operator,
            ["Tokens:Clients:2:Id"] = "view",
            ["Tokens:Clients:2:Roles:0"] = Roles.CitizenView,
        });
        builder.Logging.ClearProviders().AddProvider(new CapturedLog("scheduler"));
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.AddHosting();
        builder.Services.UseTestDatabase(folder);
        builder.AddTokens();
        builder.AddScheduler();
        builder.AddService<RegistrationJournal>("registration");
        builder.AddService<ApprovalJournal>("approval");
        var app = builder.Build();
        app.UseHosting();
        app.MapTokens();
        app.MapScheduler();
        await app.MakeReady(folder);
        await app.StartAsync(Cancel);
        return new SchedulerHost(app, folder, new Uri(http), clock);
    }

    /// <summary>An owner sets a deadline; given back is its id.</summary>
    public async Task<string> Set(TimeSpan ahead, string kind = DeadlineKinds.Expiry, string? about = null, string? id = null)
    {
        var e = new DeadlineSet
        {
            DeadlineId = id ?? Guid.CreateVersion7().ToString(),
            Owner = kind == DeadlineKinds.Expiry ? "registration" : "approval",
            About = about ?? Guid.CreateVersion7().ToString(),
            Kind = kind,
            DueAt = Clock.GetUtcNow() + ahead,
        };
        await Owner(e.Owner).Append("test", e, Cancel);
        return e.DeadlineId;
    }

    public Task CancelDeadline(string id, string owner = "registration") =>
        Owner(owner).Append("test", new DeadlineCancelled { DeadlineId = id, About = "a" }, Cancel);

    /// <summary>Waits until so many deadlines are known, in any state.</summary>
    public Task Known(int count, DeadlineState? state = null) =>
        Until(() => Store.Read(db => db.Deadlines.CountAsync(d => state == null || d.State == state, Cancel), Cancel), found => found >= count);

    /// <summary>Waits until so many have fired, and gives them in journal order.</summary>
    public async Task<List<DeadlineReached>> Reached(int count) =>
        await Until(async () => (await Journal(Store)).ConvertAll(e => (DeadlineReached)EventJson.Read(e.Type, e.Data)), found => found.Count >= count);

    public static Task<List<JournalEntry>> Journal(Store<SchedulerDb> store) => store.Read(
        db => db.Journal.Where(e => e.Type == "deadline.reached.v1").OrderBy(e => e.Position).ToListAsync(Cancel), Cancel);

    public async Task<(HttpStatusCode Status, JsonElement Body)> Get(string path, string client = "operator")
    {
        var secret = _app.Services.GetRequiredService<SecretStore>().Text("client/" + client);
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = client, ["client_secret"] = secret });
        using var granted = await _http.PostAsync(new Uri("/connect/token", UriKind.Relative), form, Cancel);
        var token = JsonDocument.Parse(await granted.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("access_token").GetString();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await _http.SendAsync(request, Cancel);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        SqliteConnection.ClearAllPools();
        await KeptScan.Check(_folder, "scheduler", "registration", "approval");
    }

    /// <summary>Asks until the answer is right; a wrong one is given back when the time is up, for the test to show.</summary>
    public static async Task<T> Until<T>(Func<Task<T>> ask, Func<T, bool> right, int seconds = 20)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await ask();
            if (right(answer) || TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromSeconds(seconds))
                return answer;
            await Task.Delay(20, Cancel);
        }
    }

    private IServiceJournal Owner(string name) => _app.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == name);
}

/// <summary>What an owner of deadlines is to the scheduler.</summary>
public sealed class RegistrationJournal(DbContextOptions<RegistrationJournal> options) : ServiceDb(options);

/// <summary>What another owner of deadlines is to the scheduler.</summary>
public sealed class ApprovalJournal(DbContextOptions<ApprovalJournal> options) : ServiceDb(options);
