using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>What the contracts promise in writing, and what Domain may not touch.</summary>
public sealed partial class ContractTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    private static readonly string[] NotForDomain = ["System.Net", "System.IO", "System.Threading", "System.Diagnostics", "System.Data", "System.Reflection"];
    private static readonly string[] Services = ["registration", "approval", "scheduler", "pseudonym", "effectuation", "tokens"];

    public static TheoryData<string> Protos => new(Directory.EnumerateFiles(Path.Combine(Repository.Root, "contracts", "proto"), "*.proto", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Repository.Root, file)).Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Protos))]
    public async Task EveryFieldMessageAndRpc_HasAComment(string file)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Repository.Root, file), TestContext.Current.CancellationToken);
        var bare = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (Declaration().IsMatch(line) && !lines[i - 1].TrimStart().StartsWith("//", StringComparison.Ordinal))
                bare.Add($"{file}:{i + 1} {line}");
        }
        // A service is described by the head of its file; what a oneof holds is described field by field.
        Assert.Empty(bare);
        Assert.StartsWith("//", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void EveryRejection_HasBothLanguages_AndANumberOfItsService()
    {
        Assert.True(Rejections.All.Count > 60, $"{Rejections.All.Count}");
        Assert.All(Rejections.All.Values, rejection =>
        {
            Assert.Matches("^SLR-[1-9][0-9]{2}$", rejection.Code);
            Assert.True(rejection.Da.Length > 15 && rejection.En.Length > 15 && rejection.Da != rejection.En, rejection.Code);
            Assert.True(rejection.Da.EndsWith('.') || rejection.Da.EndsWith('?') || rejection.Da.EndsWith('-'), rejection.Code);
            Assert.DoesNotContain('{', rejection.Da + rejection.En); // no room for a caller's value
        });
        Assert.Equal(Rejections.All.Count, Rejections.All.Values.Select(r => r.Da).Distinct().Count());
        // Its hundred is its service's: 1 Registration, 2 Approval, 3 Scheduler, 4 Pseudonym, 5 Effectuation, 6 Tokens, 7 the portal, 8 SOAP, 9 common.
        string[] hundreds = ["", "Registration", "Approval", "", "Pseudonym", "Effectuation", "Tokens"];
        var fields = typeof(Rejections).GetFields().Select(f => (f.Name, Rejection: f.GetValue(null) as Rejection)).Where(f => f.Rejection is not null).ToList();
        foreach (var (name, rejection) in fields.Where(f => hundreds.ElementAtOrDefault(f.Rejection!.Code[4] - '0') is { Length: > 0 }))
        {
            var users = Sources("services", "*.cs").Where(s => Regex.IsMatch(s.Text, $@"Rejections\.{name}\b(?!\.Code)")).Select(s => s.Path.Split('/')[1]).Distinct().ToList();
            var service = hundreds[rejection!.Code[4] - '0'];
            // Another service may pass it on, and Hosting writes audit entries for all.
            Assert.True(users.Count == 0 || users.Contains(service) || users.Contains("Hosting"), $"{rejection.Code} is used by {string.Join(", ", users)}");
        }
    }

    [Fact]
    public void EveryEvent_HasAUniqueVersionedWireName_ThatTheDocumentationLists()
    {
        var events = typeof(IEvent).Assembly.GetTypes().Where(type => type is { IsInterface: false } && type.IsAssignableTo(typeof(IEvent))).ToList();
        Assert.Equal(events.Count, events.Select(EventNames.Of).Distinct().Count());
        Assert.All(events, type => Assert.Matches(@"^[a-z]+\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*$", EventNames.Of(type)));
        var documented = File.ReadAllText(Path.Combine(Repository.Root, "docs", "events.md"));
        Assert.All(events, type => Assert.Contains(EventNames.Of(type), documented, StringComparison.Ordinal));
    }

    [Fact]
    public async Task OpenApi_ListsEveryRouteThatIsPromised()
    {
        using var http = new HttpClient();
        var document = JsonNode.Parse(await http.GetStringAsync(new Uri(flow.Platform.HttpAddress + "/openapi/v1.json"), TestContext.Current.CancellationToken))!;
        Assert.StartsWith("3.", (string?)document["openapi"], StringComparison.Ordinal);
        foreach (var (method, path) in (ReadOnlySpan<(string, string)>)
        [
            ("post", "/v1/maskings"), ("post", "/v1/maskings/{masking_id}/reason"), ("post", "/v1/maskings/{masking_id}/end"), ("get", "/v1/maskings"),
            ("get", "/v1/cases"), ("get", "/v1/cases/{case_id}"), ("post", "/v1/cases/{case_id}/decision"), ("post", "/v1/cases/{case_id}/renewal"),
            ("post", "/v1/cases/{case_id}/questions"), ("post", "/v1/cases/{case_id}/questions/{question_id}/answer"), ("get", "/v1/notices"), ("get", "/v1/overview"),
            ("post", "/v1/complaints"), ("get", "/v1/complaints"), ("get", "/v1/complaints/{complaint_id}"), ("post", "/v1/complaints/{complaint_id}/treatment"), ("post", "/v1/complaints/{complaint_id}/answer"),
            ("get", "/v1/practice"), ("post", "/v1/practice"),
            ("post", "/v1/units"), ("post", "/v1/units/{unit_masking_id}/review"), ("post", "/v1/units/{unit_masking_id}/confirmation"), ("post", "/v1/units/{unit_masking_id}/removal"),
            ("get", "/v1/units"), ("post", "/v1/masking-instructions"), ("post", "/v1/mask-entries"), ("post", "/v1/pseudonyms/resolve"),
            ("post", "/v1/journals/{service}/search"), ("get", "/v1/journals/{service}/verification"),
        ])
        {
            var operation = document["paths"]![path]?[method];
            Assert.True(operation is not null, $"{method} {path}");
            Assert.NotEmpty((string?)operation["summary"] ?? "");
        }
        // No CPR number can stand in an address.
        Assert.All(document["paths"]!.AsObject(), path => Assert.DoesNotContain("cpr", path.Key, StringComparison.OrdinalIgnoreCase));
        Assert.All(document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).SelectMany(operation => operation.Value!["parameters"]?.AsArray() ?? []),
            parameter => Assert.DoesNotContain("cpr", (string)parameter!["name"]!, StringComparison.OrdinalIgnoreCase));
        // What README's examples call exists.
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"), TestContext.Current.CancellationToken);
        foreach (Match called in ReadmeRoute().Matches(readme))
            Assert.True(document["paths"]!.AsObject().ContainsKey(called.Groups[1].Value), called.Groups[1].Value);
        // Every operation is either a route, or for services and watchers alone.
        var operations = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(o => (string?)o.Value!["operationId"])).ToHashSet();
        Assert.Equal(
            [Operations.MoveDemoClock, Operations.ReadDemoLog, Operations.ReadJournal, Operations.RenewMasking, Operations.WatchMaskings],
            Operations.Allowed.Keys.Where(operation => !operations.Contains(operation)).Order(StringComparer.Ordinal));
    }

    public static TheoryData<string> DomainFiles => new(Sources("services", "*.cs").Select(s => s.Path).Where(path => path.Contains("/Domain/", StringComparison.Ordinal)));

    [Theory, MemberData(nameof(DomainFiles))]
    public async Task Domain_KnowsNoClockNoChanceNoDatabaseNoNetwork(string file)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, file), TestContext.Current.CancellationToken);
        var service = file.Split('/')[1];
        var foreign = Usings().Matches(text).Select(m => m.Groups[1].Value).Where(used =>
            !used.StartsWith("Sloring.Contracts", StringComparison.Ordinal) && !used.StartsWith($"Sloring.{service}.Domain", StringComparison.Ordinal)
            && !(used.StartsWith("System", StringComparison.Ordinal) && !NotForDomain.Any(part => used.StartsWith(part, StringComparison.Ordinal))));
        Assert.Empty(foreign);
        var code = Comment().Replace(text, "");
        foreach (var forbidden in (ReadOnlySpan<string>)
        [
            "DateTime.Now", "DateTime.UtcNow", "DateTimeOffset.Now", "DateTimeOffset.UtcNow", "TimeProvider", "Stopwatch", "Guid.NewGuid", "Guid.CreateVersion7", "Random", "RandomNumberGenerator",
            "async ", "await ", "Task<", "DbContext", "EntityFramework", "HttpClient", "HttpContext", "ILogger", "Environment.", "File.", "Thread", "IConfiguration", "IOptions", "Sloring.Hosting",
        ])
            Assert.False(code.Contains(forbidden, StringComparison.Ordinal), $"{file} has {forbidden}");
    }

    [Fact]
    public void Domain_IsInEveryServiceWithRules() =>
        Assert.Equal(["Approval", "Pseudonym", "Registration", "Scheduler"], DomainFiles.Select(row => row.Data.Split('/')[1]).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void Services_KnowEachOtherByContractsAlone()
    {
        foreach (var (path, text) in Sources("services", "*.cs").Where(s => Services.Contains(s.Path.Split('/')[1], StringComparer.OrdinalIgnoreCase)))
        {
            var own = path.Split('/')[1];
            var others = Usings().Matches(text).Select(m => m.Groups[1].Value)
                .Where(used => Services.Any(s => !s.Equals(own, StringComparison.OrdinalIgnoreCase) && used.StartsWith($"Sloring.{s}", StringComparison.OrdinalIgnoreCase)));
            Assert.True(!others.Any(), $"{path} uses {string.Join(", ", others)}");
        }
    }

    private static IEnumerable<(string Path, string Text)> Sources(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(path => (path, File.ReadAllText(Path.Combine(Repository.Root, path))));

    [GeneratedRegex(@"^(message|enum|rpc) |^[A-Za-z_0-9.<>, ]+ [a-z_0-9]+ = \d+;|^[A-Z_0-9]+ = \d+;")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"127\.0\.0\.1:5080(/v1/[a-z/-]+)")]
    private static partial Regex ReadmeRoute();

    [GeneratedRegex(@"^using (?:static )?(?:\w+ = )?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Usings();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
