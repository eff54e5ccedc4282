using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Sloring.Contracts.Approval.V1;
using Sloring.Tests;

namespace Sloring.Bench;

/// <summary>The leader's work list with very many open cases against the same with few: over gRPC, and as the portal's page over HTTP.</summary>
public static partial class WorkListFigures
{
    private const int Many = 100_000;
    private const int Few = 100;
    private const int Rounds = 201;

    /// <summary>An EPJ that names no unit gives the case to the organisation's top.</summary>
    private const string Leader = "leder-region";

    /// <summary>Cases of other levels for each of the leader's own, where those are few among many.</summary>
    private const int Others = Many / Few;

    public static IEnumerable<Figure> Measure()
    {
        var (few, many, among) = (Filled(Few, 1), Filled(Many, 1), Filled(Many, Others));
        try
        {
            yield return Timed("`ListCases` over gRPC with 100 thousand open cases, against 100", Rpc(many), Rpc(few));
            yield return Timed("The same with 100 cases of the leader's level among 100 thousand of others, against 100 alone", Rpc(among), Rpc(few));
            yield return Timed("The portal's work list over HTTP with 100 thousand open cases, against 100", Page(many), Page(few));
        }
        finally
        {
            foreach (var platform in (Platform[])[few, many, among])
                platform.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static Figure Timed(string name, Action work, Action yardstick) => Figure.Timed(name, 2, 1, work, yardstick, Rounds);

    /// <summary>A platform whose approval holds so many open cases, one in <paramref name="oneIn"/> of the leader's level.</summary>
    private static Platform Filled(int count, int oneIn)
    {
        var platform = Platform.Start().GetAwaiter().GetResult();
        HostFigures.Activate(platform.Client, [People.NextCpr()]).GetAwaiter().GetResult();
        Eventually.True(async () => (await platform.Client.Must(Leader, HttpMethod.Get, "/v1/cases", null, CancellationToken.None))["cases"] is not null, "there is a case").GetAwaiter().GetResult();
        using var db = new SqliteConnection($"Data Source={Path.Combine(platform.Folder, "approval.db")}");
        db.Open();
        using var fill = db.CreateCommand();
        fill.CommandText = "SELECT group_concat('\"' || name || '\"', ', ') FROM pragma_table_info('cases') WHERE name NOT IN ('CaseId', 'DecisionDue', 'LevelUnitSorId')";
        var copied = (string)fill.ExecuteScalar()!;
        fill.CommandText =
            $"""
            INSERT INTO cases("CaseId", "DecisionDue", "LevelUnitSorId", {copied})
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
            SELECT printf('%08x-%04x-7000-8000-%012x', i, i & 65535, i), "DecisionDue" + i, CASE WHEN i % {oneIn} = 0 THEN "LevelUnitSorId" ELSE 'another' END, {copied} FROM cases, n
            """;
        fill.ExecuteNonQuery();
        fill.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
        fill.ExecuteNonQuery();
        return platform;
    }

    private static Action Rpc(Platform platform)
    {
        var approval = new ApprovalService.ApprovalServiceClient(platform.Channel);
        var headers = platform.As(Leader).GetAwaiter().GetResult();
        return () =>
        {
            if (approval.ListCases(new ListCasesRequest(), headers).Cases.Count != 50)
                throw new InvalidOperationException("The list is not full.");
        };
    }

    private static Action Page(Platform platform)
    {
        var browser = new HttpClient(new HttpClientHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(platform.HttpAddress) };
        SignIn(browser).GetAwaiter().GetResult();
        return () =>
        {
            var page = browser.GetStringAsync("/cases").GetAwaiter().GetResult();
            if (Row().Count(page) != 50)
                throw new InvalidOperationException("The page is not full.");
        };
    }

    private static async Task SignIn(HttpClient browser)
    {
        var signIn = await browser.GetStringAsync("/cases");
        using var form = new FormUrlEncodedContent([new("page", WebUtility.HtmlDecode(SealedPage().Match(signIn).Groups[1].Value)), new("persona", Leader)]);
        using var answer = await browser.PostAsync("/connect/sign-in", form);
        answer.EnsureSuccessStatusCode();
    }

    [GeneratedRegex("name=\"page\" value=\"([^\"]*)\"")]
    private static partial Regex SealedPage();

    [GeneratedRegex("<a href=\"/case/")]
    private static partial Regex Row();
}
