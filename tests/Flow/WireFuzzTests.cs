using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Tokens.V1;
using Sloring.Hosting;
using Xunit;
using RpcStatus = Google.Rpc.Status;

namespace Sloring.Tests.Flow;

/// <summary>
/// Every rpc and every JSON route of the real server, called by who may call it with random, odd and mutated requests: each is answered, with a number where it is refused, never by
/// an error of ours, and a refused one has changed nothing. What a request has caused is known by its trace, which the journal keeps.
/// </summary>
[Trait("kind", "fuzz")]
public sealed class WireFuzzTests(RejectionTests.Stage stage, ITestOutputHelper output) : IClassFixture<RejectionTests.Stage>
{
    private const int Workers = 4;

    /// <summary>Of a watch, which has no end of its own.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(100);

    /// <summary>Over the wire one case in so many of those in a process; a PostgreSQL takes its time.</summary>
    private static readonly int Share = TestDatabase.IsPostgres ? 20 : 5;

    /// <summary>"Not yet": the one answer of this kind that a request can ask for, by a position that the replica has not reached.</summary>
    private static readonly string NotFresh = Rejections.PictureNotFresh.Code;

    private static readonly string[] Pieces = ["\0", "\u0008", "\u000a", "\u0012\u0001", "\u001a", "7101901234", "æ", "\ufffd", "-1", "{", "}", "\"", "null", ",", ":", "[", "]", "\\u0000", "\\ud800", "1e999", "true", "\"patientCpr\":\"7101901234\","];

    private readonly ConcurrentDictionary<string, string> _refused = [];
    private readonly ConcurrentDictionary<string, bool> _accepted = [];
    private readonly ConcurrentDictionary<string, int> _answers = [];

    private HttpClient Grpc { get; } = new(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        BaseAddress = new Uri(stage.Platform.GrpcAddress),
    };

    /// <summary>Without traces of its own: where it sends what looks like a CPR number in an address, it would write the address down, which the platform never does.</summary>
    private HttpClient Json { get; } = new(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { BaseAddress = new Uri(stage.Platform.HttpAddress) };

    private IEnumerable<RouteEndpoint> Endpoints => stage.Platform.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    [Fact]
    public async Task EveryRpc_AnswersWhateverComes_AndARefusalChangesNothing()
    {
        var tokens = await Tokens();
        var rpcs = Endpoints.Select(endpoint => (endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method, endpoint.Metadata.GetMetadata<AuthorizeAttribute>()?.Policy)).Where(rpc => rpc.Method is not null)
            .Select(rpc => (Descriptor: AnyMessage.Rpcs.Single(known => "/" + known.Service.FullName + "/" + known.Name == rpc.Method!.FullName), Token: tokens[rpc.Policy!])).ToList();
        Assert.Equal(AnyMessage.Rpcs.Count, rpcs.Count);
        var good = Good();
        await Fuzzing.Begin(output.WriteLine, Share).Each(Workers, async random =>
        {
            var (rpc, token) = random.Pick(rpcs);
            var frame = Frame(random, rpc.InputType, good);
            var (code, status, trace) = await Call(rpc, frame, token);
            var what = $"{rpc.FullName}: {status} {code} for {Convert.ToBase64String(frame)}";
            Assert.True(status is not (StatusCode.Unknown or StatusCode.Internal or StatusCode.DataLoss or StatusCode.Unavailable) || code == NotFresh, what);
            // What the caller's own deadline ended has no number, nor has an encoding that nobody here knows.
            Assert.True(status is StatusCode.OK or StatusCode.DeadlineExceeded or StatusCode.Cancelled or StatusCode.Unimplemented || code is not null, what);
            Note(trace, status == StatusCode.OK, what, $"{status} {code}");
        });
        await Survived();
    }

    [Fact]
    public async Task EveryRoute_AnswersWhateverComes_AndARefusalChangesNothing()
    {
        var tokens = await Tokens();
        var routes = Endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<JsonRoute>() is not null).Select(endpoint => (
            Path: endpoint.RoutePattern.RawText!, Method: endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Single(), Route: endpoint.Metadata.GetMetadata<JsonRoute>()!)).ToList();
        Assert.True(routes.Count > 30, $"{routes.Count} routes");
        var good = Good();
        await Fuzzing.Begin(output.WriteLine, Share).Each(Workers, async random =>
        {
            var (path, method, route) = random.Pick(routes);
            var trace = Trace();
            using var request = Request(random, path, method, AnyMessage.Rpcs.Select(rpc => rpc.InputType).First(type => type.ClrType == route.Request), good);
            request.Headers.TryAddWithoutValidation("Authorization", tokens[route.Operation]);
            request.Headers.TryAddWithoutValidation("traceparent", $"00-{trace}-00f067aa0ba902b7-01");
            using var answer = await Json.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            var what = $"{method} {request.RequestUri}: {(int)answer.StatusCode} {text} for {(request.Content is null ? "" : await request.Content.ReadAsStringAsync())}";
            Assert.True(text.Length > 0, what);
            var code = answer.IsSuccessStatusCode ? null : (string?)JsonNode.Parse(text)!["code"];
            Assert.True((int)answer.StatusCode < 500 || code == NotFresh, what);
            Assert.True(answer.IsSuccessStatusCode || (Rejections.All.ContainsKey(code!) && answer.Content.Headers.ContentType!.MediaType == "application/problem+json"), what);
            Note(trace, answer.IsSuccessStatusCode, what, $"{(int)answer.StatusCode} {code}");
        });
        await Survived();
    }

    [Theory] // a request that protobuf cannot read never reaches a handler
    [InlineData("0000000001FF")] // a tag that is none
    [InlineData("00000000020A7F")] // longer than what is there
    [InlineData("0000000003080A")] // the stream ends inside the message
    [InlineData("000000000B32FFFFFFFF0710FFFFFFFF")] // a message within it of 2 GiB, at which the library itself falls over
    [InlineData("0100000000")] // compressed, and nothing says how
    [InlineData("07000000")] // not even a head
    [InlineData("00000000000000000000")] // two messages
    [InlineData("")] // none
    public async Task AMessageThatCannotBeRead_IsRefusedWithItsNumber(string frame)
    {
        foreach (var rpc in (string[])["sloring.registration.v1.RegistrationService.Activate", "sloring.registration.v1.RegistrationService.WatchMaskings"])
        {
            var method = AnyMessage.Rpcs.Single(known => known.FullName == rpc);
            var (code, status, _) = await Call(method, Convert.FromHexString(frame), (await Tokens())[method.Name]);
            Assert.Equal((StatusCode.InvalidArgument, Rejections.Malformed.Code), (status, code));
        }
    }

    [Theory] // of a stream, the message that cannot be read ends the call with its number
    [InlineData("0000000001FF")]
    [InlineData("0000000003080A")]
    [InlineData("0100000000")]
    public async Task AMessageOfAStreamThatCannotBeRead_IsRefusedWithItsNumber(string frame)
    {
        var stream = AnyMessage.Rpcs.Single(known => known.Name == "MaskEntryStream");
        var (code, status, _) = await Call(stream, Convert.FromHexString(frame), (await Tokens())[Operations.MaskEntries]);
        Assert.Equal((StatusCode.InvalidArgument, Rejections.Malformed.Code), (status, code));
    }

    [Theory] // instants that protobuf can hold and no calendar does
    [InlineData("0A097363686564756C65722A0610FFFFFFFF07")]
    [InlineData("0A097363686564756C6572320708FFFFFFFFFF7F")]
    public async Task AnAuditorsSearchFromNoInstant_IsRefused_AndLeavesNoEntry(string request)
    {
        var journal = stage.Platform.Services.GetServices<IServiceJournal>().Single(one => one.Service == "scheduler");
        var before = journal.Tail.Head;
        var frame = Convert.FromHexString(request);
        var (code, status, trace) = await Call(AnyMessage.Rpcs.Single(known => known.Name == "SearchJournal"), [0, 0, 0, 0, (byte)frame.Length, .. frame], (await Tokens())[Operations.SearchJournal]);
        Assert.Equal((StatusCode.InvalidArgument, Rejections.DateInvalid.Code), (status, code));
        Assert.DoesNotContain(await journal.Query(all => all.Where(entry => entry.Position > before), TestContext.Current.CancellationToken), entry => entry.TraceParent.Contains(trace, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AMessageThatIsTooLarge_IsRefusedWithItsNumber()
    {
        var tokens = await Tokens();
        var head = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), (16 * 1024 * 1024) + 1);
        foreach (var (rpc, operation) in ((string, string)[])[("Activate", Operations.Activate), ("MaskEntries", Operations.MaskEntries), ("MaskEntryStream", Operations.MaskEntries)])
        {
            var (code, status, _) = await Call(AnyMessage.Rpcs.First(known => known.Name == rpc), head, tokens[operation]);
            Assert.Equal((StatusCode.ResourceExhausted, Rejections.TooLarge.Code), (status, code));
        }
    }

    /// <summary>A token for each operation, of a demo client that has a role for it.</summary>
    private async Task<Dictionary<string, string>> Tokens()
    {
        using var clients = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "samples", "demo-clients.json"), TestContext.Current.CancellationToken));
        var byRole = clients.RootElement.GetProperty("Tokens").GetProperty("Clients").EnumerateArray()
            .Where(client => client.TryGetProperty("Roles", out _))
            .SelectMany(client => client.GetProperty("Roles").EnumerateArray().Select(role => (Role: role.GetString()!, Id: client.GetProperty("Id").GetString()!))).ToLookup(pair => pair.Role, pair => pair.Id);
        var tokens = new Dictionary<string, string>();
        foreach (var (operation, roles) in Operations.Allowed)
            tokens[operation] = "Bearer " + await stage.Platform.Client.Token(roles.Select(role => byRole[role].First()).First(), TestContext.Current.CancellationToken);
        return tokens;
    }

    /// <summary>Requests that are right, by their type.</summary>
    private ILookup<string, IMessage> Good() => RejectionTests.EntryPoints.Values
        .Select(point => (point.Operation, Json: point.Valid(stage).ToJsonString(), Path: string.Join('/', point.Path.Split('/').Select(part => part.StartsWith('{') ? "*" : part)), point.Method))
        .Select(point => JsonParser.Default.Parse(point.Json, TypeOf(point.Method, point.Path))).ToLookup(message => message.Descriptor.FullName);

    private MessageDescriptor TypeOf(string method, string path)
    {
        var route = Endpoints.First(endpoint => endpoint.Metadata.GetMetadata<JsonRoute>() is not null && endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Single() == method
            && string.Join('/', endpoint.RoutePattern.RawText!.Split('/').Select(part => part.StartsWith('{') ? "*" : part)) == path).Metadata.GetMetadata<JsonRoute>()!;
        return AnyMessage.Rpcs.Select(rpc => rpc.InputType).First(type => type.ClrType == route.Request);
    }

    private static IMessage Message(Random random, MessageDescriptor type, ILookup<string, IMessage> good)
    {
        var message = good.Contains(type.FullName) && random.Next(3) > 0 ? Spoilt(random, random.Pick([.. good[type.FullName]])) : AnyMessage.Of(random, type);
        // Services are among the likely names, and are clients too: whoever was revoked could call nothing more.
        if (message is RevokeClientRequest revocation)
            revocation.ClientId = $"no-{revocation.ClientId}";
        return message;
    }

    private static IMessage Spoilt(Random random, IMessage good)
    {
        var message = good.Descriptor.Parser.ParseFrom(good.ToByteArray());
        for (var times = random.Next(3); times > 0; times--)
            AnyMessage.Spoil(random, message);
        return message;
    }

    private static byte[] Frame(Random random, MessageDescriptor type, ILookup<string, IMessage> good)
    {
        var bytes = Message(random, type, good).ToByteArray();
        if (random.Next(2) == 0)
            bytes = random.Mutated(bytes, Pieces);
        var frame = new byte[5 + bytes.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bytes.Length);
        bytes.CopyTo(frame, 5);
        return random.Next(10) == 0 ? random.Mutated(frame, Pieces) : frame;
    }

    private static HttpRequestMessage Request(Random random, string path, string method, MessageDescriptor type, ILookup<string, IMessage> good)
    {
        var json = JsonNode.Parse(JsonFormatter.Default.Format(Calendar(Message(random, type, good))))!.AsObject();
        foreach (var (name, value) in json.ToList())
        {
            var place = type.Fields.InDeclarationOrder().FirstOrDefault(field => field.JsonName == name) is { } field ? $"{{{field.Name}}}" : "";
            if (!path.Contains(place, StringComparison.Ordinal) || place.Length == 0)
                continue;
            path = path.Replace(place, Escaped(value!.ToString(), "x"), StringComparison.Ordinal);
            json.Remove(name);
        }
        path = System.Text.RegularExpressions.Regex.Replace(path, @"\{\w+\}", _ => Escaped(random.Pick(Mutation.Odd), "x"));
        if (method == "GET" || random.Next(20) == 0)
            path += "?" + string.Join('&', json.Where(field => field.Value is not (JsonObject or JsonArray)).Select(field => $"{field.Key}={Escaped(random.Next(4) == 0 ? random.Pick(Mutation.Odd) : field.Value!.ToString(), "")}"));
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "GET")
            return request;
        var body = Encoding.UTF8.GetBytes(json.ToJsonString());
        request.Content = new ByteArrayContent(random.Next(2) == 0 ? random.Mutated(body, Pieces) : body);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", random.Next(10) == 0 ? random.Pick(["text/plain", "application/json; charset=utf-16", "x", "multipart/form-data; boundary=x"]) : "application/json");
        return request;
    }

    /// <summary>JSON has no instant outside the calendar.</summary>
    private static IMessage Calendar(IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder().Where(field => field is { FieldType: FieldType.Message, IsRepeated: false }))
        {
            if (field.Accessor.GetValue(message) is Google.Protobuf.WellKnownTypes.Timestamp { Seconds: < -62_135_596_800 or > 253_402_300_799 } or Google.Protobuf.WellKnownTypes.Timestamp { Nanos: < 0 or > 999_999_999 })
                field.Accessor.Clear(message);
        }
        return message;
    }

    /// <summary>What an address can hold: the server itself refuses NUL, and dots go up. No CPR number: callers write addresses to their logs.</summary>
    private static string Escaped(string text, string otherwise) =>
        string.Concat(text.EnumerateRunes()) is { Length: > 0 and < 2_000 } whole && whole is not ("." or ".." or "...") && !whole.Contains('\0', StringComparison.Ordinal) && !Texts.LooksLikeCpr(whole) ? Uri.EscapeDataString(whole) : otherwise;

    private async Task<(string? Code, StatusCode Status, string Trace)> Call(MethodDescriptor rpc, byte[] frame, string token)
    {
        var trace = Trace();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/{rpc.Service.FullName}/{rpc.Name}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.TryAddWithoutValidation("Authorization", token);
        request.Headers.TryAddWithoutValidation("traceparent", $"00-{trace}-00f067aa0ba902b7-01");
        if (rpc is { IsServerStreaming: true, IsClientStreaming: false })
            request.Headers.TryAddWithoutValidation("grpc-timeout", $"{Deadline.TotalMilliseconds}m");
        using var answer = await Answer(request);
        if (answer is null)
            return (null, StatusCode.Cancelled, trace);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var status = (StatusCode)int.Parse(Header("grpc-status") ?? throw new InvalidDataException("There is no status."), null);
        if (Header("grpc-status-details-bin") is not { } details)
            return (null, status, trace);
        var info = RpcStatus.Parser.ParseFrom(Convert.FromBase64String(details.PadRight((details.Length + 3) / 4 * 4, '='))).Details.First(any => any.Is(ErrorInfo.Descriptor)).Unpack<ErrorInfo>();
        return (info.Reason, status, trace);

        string? Header(string name) => answer.TrailingHeaders.TryGetValues(name, out var values) || answer.Headers.TryGetValues(name, out values) ? values.Single() : null;
    }

    /// <summary>Null where the server has reset a call whose deadline had passed (gRPC over HTTP/2: with CANCEL), before its trailers were read.</summary>
    private async Task<HttpResponseMessage?> Answer(HttpRequestMessage request)
    {
        var begun = Stopwatch.GetTimestamp();
        try
        {
            return await Grpc.SendAsync(request);
        }
        catch (HttpRequestException e) when (request.Headers.Contains("grpc-timeout") && Stopwatch.GetElapsedTime(begun) >= Deadline && e.InnerException is HttpProtocolException { ErrorCode: 8 })
        {
            return null;
        }
    }

    private static string Trace() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private void Note(string trace, bool accepted, string what, string answer)
    {
        _answers.AddOrUpdate(answer, 1, (_, count) => count + 1);
        if (accepted)
            _accepted[trace] = true;
        else
            _refused[trace] = what;
    }

    /// <summary>It still does its work, and no refused request has left more than an audit entry.</summary>
    private async Task Survived()
    {
        output.WriteLine(string.Join(", ", _answers.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {pair.Value}")));
        Assert.True(Fuzzing.IsAlone || (_refused.Count > 100 && _accepted.Count > 100), $"{_refused.Count} refused, {_accepted.Count} accepted");
        var cpr = People.NextCpr();
        await stage.Flow.Must("epj-hovedstaden", "/v1/maskings", stage.Flow.Activation(cpr));
        await stage.Flow.Seen(cpr, SharedPlatform.RegionH, masked: true);
        var changes = new List<string>();
        foreach (var journal in stage.Platform.Services.GetServices<IServiceJournal>())
        {
            var entries = await journal.Query(all => all.Where(entry => entry.TraceParent != ""), TestContext.Current.CancellationToken);
            changes.AddRange(entries.Where(entry => !EventNames.IsAuditOnly(entry.Type)).Select(entry => entry.TraceParent.Split('-')[1]));
            Assert.True((await journal.Verify(TestContext.Current.CancellationToken)).Intact);
        }
        if (!Fuzzing.IsAlone)
            Assert.Contains(changes, _accepted.ContainsKey);
        Assert.Equal([], changes.Where(_refused.ContainsKey).Select(trace => _refused[trace]));
    }
}
