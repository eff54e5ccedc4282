// Our server against raw HTTP/2 requests: what well-behaved clients never send, and how answers look on the wire.
using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Tests.Interop.V1;
using Xunit;

namespace Sloring.Tests.Interop;

public sealed class ServerWireTests(OwnServer server) : IClassFixture<OwnServer>, IDisposable
{
    private const string Echo = "/sloring.interop.v1.Trial/Echo";

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = new Uri(server.Address),
        Timeout = TimeSpan.FromSeconds(20),
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    public static byte[] Frame(byte[] message, bool compressed = false)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    public static byte[] Gzip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(plain);
        return packed.ToArray();
    }

    [Theory]
    [InlineData("application/grpc", 200), InlineData("application/grpc+proto", 200), InlineData("application/grpc;x=y", 200)]
    [InlineData("application/json", 415), InlineData("application/grpc-web", 415), InlineData("application/grpcx", 415), InlineData(null, 415)]
    public async Task ContentType_MustBeGrpc(string? contentType, int expected)
    {
        using var answer = await Post(Echo, Frame([]), contentType);
        Assert.Equal(expected, (int)answer.StatusCode);
    }

    [Fact]
    public async Task UnknownPath_IsLeftAloneUnlessItIsGrpc()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await Post("/some/page", [], "application/json")).StatusCode);
        Assert.Equal("12", (await Post("/some/page", Frame([]))).Headers.GetValues("grpc-status").Single());
    }

    [Theory]
    [InlineData("10S", 10_000), InlineData("10000m", 10_000), InlineData("5000000u", 5_000), InlineData("1M", 60_000), InlineData("2H", 7_200_000)]
    [InlineData("99999999n", 99), InlineData("", -1), InlineData("5", -1), InlineData("5x", -1), InlineData("-5S", -1), InlineData("123456789m", -1)]
    public async Task Timeout_IsReadInEveryUnitAndIgnoredWhenMalformed(string timeout, long expected)
    {
        using var answer = await Post(Echo, Frame(new TrialRequest { Act = "deadline" }.ToByteArray()), headers: ("grpc-timeout", timeout));
        Assert.InRange((await Reply(answer)).Number, expected < 0 ? expected : (expected * 9 / 10) - 90, expected);
    }

    [Fact]
    public async Task TimeoutOfAHandlerThatIgnoresIt_IsAnsweredInTime()
    {
        using var answer = await Post(Echo, Frame(new TrialRequest { Act = "stubborn", Delay = 6000 }.ToByteArray()), headers: ("grpc-timeout", "100m"))
            .WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal("4", Status(answer));
    }

    [Fact]
    public async Task TimeoutInTheMiddleOfAStream_IsInTheTrailers()
    {
        using var answer = await Post("/sloring.interop.v1.Trial/Down", Frame(new TrialRequest { Count = 100_000, Delay = 10 }.ToByteArray()), headers: ("grpc-timeout", "300m"));
        Assert.Equal("4", answer.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task LongestTimeout_IsNoError()
    {
        using var answer = await Post(Echo, Frame([]), headers: ("grpc-timeout", "99999999H"));
        Assert.Equal("0", Status(answer));
    }

    [Theory]
    [InlineData("AQ", "AQ"), InlineData("AQ==", "AQ"), InlineData("AQI=,AQ==", "AQI|AQ"), InlineData("AQI, AQ", "AQI|AQ"), InlineData("????, AQ", "AQ")]
    public async Task BinaryMetadata_IsReadPaddedOrNotAndInLists(string sent, string expected)
    {
        using var answer = await Post(Echo, Frame(new TrialRequest { Act = "metadata" }.ToByteArray()), headers: ("x-data-bin", sent));
        Assert.Equal(expected, string.Join('|', answer.TrailingHeaders.GetValues("x-data-bin")));
    }

    [Fact]
    public async Task Failure_IsTrailersOnlyWithAPercentEncodedMessage()
    {
        using var answer = await Post(Echo, Frame(new TrialRequest { Fail = 5 }.ToByteArray()));
        Assert.Equal("5", answer.Headers.GetValues("grpc-status").Single());
        Assert.Equal("bad luck: %C3%A6%C3%B8%C3%A5, 100 %25, tab%09and line%0Abreak", answer.Headers.GetValues("grpc-message").Single());
        Assert.Equal("CAU", answer.Headers.GetValues("grpc-status-details-bin").Single());
        Assert.Empty(answer.TrailingHeaders);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Success_HasItsStatusInTheTrailers()
    {
        using var answer = await Post(Echo, Frame([]));
        Assert.False(answer.Headers.Contains("grpc-status"));
        Assert.Equal("0", answer.TrailingHeaders.GetValues("grpc-status").Single());
        Assert.Equal("application/grpc", answer.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task MalformedRequests_AreAnsweredInternal()
    {
        Assert.Equal("13", Status(await Post(Echo, [])));
        Assert.Equal("13", Status(await Post(Echo, [.. Frame([]), .. Frame([])])));
        Assert.Equal("13", Status(await Post(Echo, [0, 0, 0, 0, 9, 1])));
        Assert.Equal("13", Status(await Post(Echo, [0, 0])));
        Assert.Equal("13", Status(await Post(Echo, Frame([0xff, 0xff, 0xff]))));
        Assert.Equal("13", Status(await Post(Echo, Frame([], compressed: true))));
        Assert.Equal("13", Status(await Post(Echo, [7, 0, 0, 0, 0])));
        Assert.Equal("13", Status(await Post(Echo, Frame([1, 2, 3], compressed: true), headers: ("grpc-encoding", "gzip"))));
        Assert.Equal("8", Status(await Post(Echo, [0, 0xff, 0xff, 0xff, 0xff])));
    }

    [Fact]
    public async Task EncodedRequest_IsReadIfItIsGzip()
    {
        var message = new TrialRequest { Text = new string('a', 1000) };
        using var gzip = await Post(Echo, Frame(Gzip(message.ToByteArray()), compressed: true), headers: ("grpc-encoding", "gzip"));
        Assert.Equal(message.Text, (await Reply(gzip)).Text);
        using var other = await Post(Echo, Frame(Gzip([]), compressed: true), headers: ("grpc-encoding", "br"));
        Assert.Equal(("12", "identity,gzip"), (Status(other), other.Headers.GetValues("grpc-accept-encoding").Single()));
    }

    [Fact]
    public async Task QuietRequestStream_OutlivesTheMinimumDataRate()
    {
        await using var strict = await TrialServer.Start(services: s => s.Configure<KestrelServerOptions>(
            kestrel => kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(100_000, TimeSpan.FromSeconds(1.1))));
        using var channel = GrpcChannel.ForAddress(strict.Address);
        var client = new Trial.TrialClient(channel);
        using var quiet = client.Both(deadline: DateTime.UtcNow.AddSeconds(20));
        await quiet.RequestStream.WriteAsync(new TrialRequest { Number = 1 });
        Assert.True(await quiet.ResponseStream.MoveNext());
        await client.EchoAsync(new TrialRequest { Delay = 3500 }, deadline: DateTime.UtcNow.AddSeconds(20)); // meanwhile nothing is sent on the stream
        await quiet.RequestStream.WriteAsync(new TrialRequest { Number = 2 });
        Assert.True(await quiet.ResponseStream.MoveNext());
        Assert.Equal(2, quiet.ResponseStream.Current.Number);
    }

    [Fact] // what has come of a message lies in memory until all of it has
    public async Task AMessageBegunAndNotFinished_EndsItsCall_AndAQuietStreamDoesNot()
    {
        AppContext.SetData("Grpc.AspNetCore.Server.MessageSeconds", 1);
        await using var impatient = await TrialServer.Start();
        using var channel = GrpcChannel.ForAddress(impatient.Address);
        using var quiet = new Trial.TrialClient(channel).Both(deadline: DateTime.UtcNow.AddSeconds(30));
        await quiet.RequestStream.WriteAsync(new TrialRequest { Number = 1 });
        Assert.True(await quiet.ResponseStream.MoveNext());
        AppContext.SetData("Grpc.AspNetCore.Server.MessageSeconds", null);

        foreach (var method in (string[])[Echo, "/sloring.interop.v1.Trial/Both"])
        {
            var content = new Stalled(Frame(new byte[1_000_000])[..900_000]);
            var request = new HttpRequestMessage(HttpMethod.Post, impatient.Address + method) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content };
            content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/grpc");
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await answer.Content.ReadAsByteArrayAsync();
            Assert.Equal("13", Status(answer));
            content.Finish();
        }
        await quiet.RequestStream.WriteAsync(new TrialRequest { Number = 2 });
        Assert.True(await quiet.ResponseStream.MoveNext());
        Assert.Equal(2, quiet.ResponseStream.Current.Number);
    }

    public void Dispose() => http.Dispose();

    private static string Status(HttpResponseMessage answer) =>
        (answer.Headers.TryGetValues("grpc-status", out var only) ? only : answer.TrailingHeaders.GetValues("grpc-status")).Single();

    private static async Task<TrialReply> Reply(HttpResponseMessage answer)
    {
        var body = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal("0", Status(answer));
        return TrialReply.Parser.ParseFrom(body, 5, body.Length - 5);
    }

    private Task<HttpResponseMessage> Post(
        string path, byte[] body, string? contentType = "application/grpc", params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = http.DefaultRequestVersion,
            VersionPolicy = http.DefaultVersionPolicy,
            Content = new ByteArrayContent(body),
        };
        if (contentType is not null)
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        request.Headers.TE.ParseAdd("trailers");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return http.SendAsync(request);
    }

    /// <summary>A body that begins and does not go on until it is told.</summary>
    private sealed class Stalled(byte[] begin) : HttpContent
    {
        private readonly TaskCompletionSource finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Finish() => finish.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(begin);
            await stream.FlushAsync();
            await finish.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
