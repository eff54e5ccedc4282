// Our client against servers that are broken, absent or no gRPC servers at all.
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Sloring.Tests.Interop.V1;
using Xunit;

namespace Sloring.Tests.Interop;

public sealed class ClientWireTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(400, StatusCode.Internal), InlineData(401, StatusCode.Unauthenticated), InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented), InlineData(429, StatusCode.Unavailable), InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable), InlineData(504, StatusCode.Unavailable), InlineData(500, StatusCode.Unknown), InlineData(302, StatusCode.Unknown)]
    public Task HttpStatus_BecomesAStatus(int http, StatusCode expected) => AssertEnds(expected, context =>
    {
        context.Response.StatusCode = http;
        return Task.CompletedTask;
    });

    [Fact]
    public Task GrpcStatusWithAnHttpError_Wins() => AssertEnds(StatusCode.NotFound, context =>
    {
        context.Response.StatusCode = 503;
        context.Response.Headers.GrpcStatus = "5";
        return Task.CompletedTask;
    });

    [Fact]
    public Task AnswerThatIsNotGrpc_IsUnknown() => AssertEnds(StatusCode.Unknown, context => context.Response.WriteAsync("<html>"));

    [Fact]
    public Task AnswerWithoutStatus_IsUnknown() => AssertEnds(StatusCode.Unknown, context => Answer(context, ServerWireTests.Frame([]), status: null));

    [Fact]
    public Task UnknownStatusNumber_IsUnknown() => AssertEnds(StatusCode.Unknown, context => Answer(context, [], status: "99"));

    [Theory]
    [InlineData(2, StatusCode.Internal), InlineData(7, StatusCode.Unavailable), InlineData(8, StatusCode.Cancelled)]
    [InlineData(11, StatusCode.ResourceExhausted), InlineData(12, StatusCode.PermissionDenied)]
    public async Task Reset_BecomesAStatus(int code, StatusCode expected)
    {
        await AssertEnds(expected, context =>
        {
            context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);
            return Task.CompletedTask;
        });
        await AssertEnds(expected, async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.StartAsync();
            await context.Response.BodyWriter.FlushAsync();
            context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);
        });
    }

    [Fact]
    public async Task WrongNumberOfAnswers_IsInternal()
    {
        await AssertEnds(StatusCode.Internal, context => Answer(context, []));
        await AssertEnds(StatusCode.Internal, context => Answer(context, [.. ServerWireTests.Frame([]), .. ServerWireTests.Frame([])]));
        await AssertEnds(StatusCode.Internal, context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers.GrpcStatus = "0";
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task BrokenMessage_IsInternal()
    {
        await AssertEnds(StatusCode.Internal, context => Answer(context, [0, 0, 0, 0, 9, 1]));
        await AssertEnds(StatusCode.Internal, context => Answer(context, ServerWireTests.Frame([0xff, 0xff])));
        await AssertEnds(StatusCode.Internal, context => Answer(context, ServerWireTests.Frame([1, 2], compressed: true), encoding: "gzip"));
        await AssertEnds(StatusCode.Internal, context => Answer(context, ServerWireTests.Frame([], compressed: true)));
    }

    [Fact]
    public async Task GzipAnswer_IsRead()
    {
        var sent = new TrialReply { Text = new string('z', 5000) };
        string? accepted = null;
        await using var server = await Start(context =>
        {
            accepted = context.Request.Headers.GrpcAcceptEncoding;
            return Answer(context, ServerWireTests.Frame(ServerWireTests.Gzip(sent.ToByteArray()), compressed: true), encoding: "gzip");
        });
        using var channel = GrpcChannel.ForAddress(server.Address);
        Assert.Equal(sent, await new Trial.TrialClient(channel).EchoAsync(new TrialRequest()).ResponseAsync.WaitAsync(Limit));
        Assert.Contains("gzip", accepted, StringComparison.Ordinal);
    }

    [Fact]
    public Task GzipBomb_IsRefused() => AssertEnds(StatusCode.ResourceExhausted,
        context => Answer(context, ServerWireTests.Frame(ServerWireTests.Gzip(new byte[20_000_000]), compressed: true), encoding: "gzip"));

    [Fact]
    public async Task TrailersOfAForeignHand_AreRead()
    {
        await using var server = await Start(context =>
        {
            context.Response.ContentType = "application/grpc+proto";
            context.Response.Headers.GrpcStatus = "3";
            context.Response.Headers.GrpcMessage = "%C3%A6 100%25 %zz %4";
            context.Response.Headers["list-bin"] = "AQ==,AQI, AQ";
            return Task.CompletedTask;
        });
        using var channel = GrpcChannel.ForAddress(server.Address);
        var error = await Assert.ThrowsAsync<RpcException>(() => new Trial.TrialClient(channel).EchoAsync(new TrialRequest()).ResponseAsync.WaitAsync(Limit));
        Assert.Equal("æ 100% %zz %4", error.Status.Detail);
        Assert.Equal([[1], [1, 2], [1]], error.Trailers.GetAll("list-bin").Select(e => e.ValueBytes));
    }

    [Fact]
    public async Task NobodyListening_IsUnavailableForReadersAndWriters()
    {
        using var reserved = new TcpListener(IPAddress.Loopback, 0);
        reserved.Start();
        var port = ((IPEndPoint)reserved.LocalEndpoint).Port;
        reserved.Stop();
        await AssertAllEnd(StatusCode.Unavailable, $"http://127.0.0.1:{port}", null);
    }

    [Fact]
    public async Task ConnectionClosedAtOnce_IsUnavailableForReadersAndWriters()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var closing = Task.Run(async () =>
        {
            while (true)
                (await listener.AcceptSocketAsync()).Close();
        });
        await AssertAllEnd(StatusCode.Unavailable, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}", null);
        listener.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => closing.WaitAsync(Limit));
    }

    [Fact]
    public async Task ConnectionThatNeverSpeaks_EndsByDeadline()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(); // the kernel accepts; nobody ever answers
        await AssertAllEnd(StatusCode.DeadlineExceeded, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}", 0.3);
    }

    [Fact]
    public async Task ServerThatStopsReading_DoesNotHoldAWriterBeyondItsDeadline()
    {
        var ended = new TaskCompletionSource();
        await using var server = await Start(_ => ended.Task);
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = new Trial.TrialClient(channel).Up(deadline: DateTime.UtcNow.AddSeconds(1));
        var error = await Assert.ThrowsAsync<RpcException>(() => Flood(call.RequestStream).WaitAsync(Limit));
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
        ended.SetResult();
    }

    private static Task<TrialServer> Start(RequestDelegate answer) => TrialServer.Start(_ => { }, app => app.Run(answer));

    private static async Task Answer(HttpContext context, byte[] body, string? status = "0", string? encoding = null)
    {
        context.Response.ContentType = "application/grpc";
        if (encoding is not null)
            context.Response.Headers.GrpcEncoding = encoding;
        await context.Response.StartAsync();
        await context.Response.Body.WriteAsync(body);
        if (status is not null)
            context.Response.AppendTrailer("grpc-status", status);
    }

    /// <summary>Writes until that fails: the first messages may leave before anybody knows that the peer does not listen.</summary>
    private static async Task Flood(IClientStreamWriter<TrialRequest> stream)
    {
        while (true)
            await stream.WriteAsync(new TrialRequest { Data = ByteString.CopyFrom(new byte[50_000]) });
    }

    private static async Task AssertEnds(StatusCode expected, RequestDelegate answer)
    {
        await using var server = await Start(answer);
        using var channel = GrpcChannel.ForAddress(server.Address);
        var error = await Assert.ThrowsAsync<RpcException>(() => new Trial.TrialClient(channel).EchoAsync(new TrialRequest()).ResponseAsync.WaitAsync(Limit));
        Assert.Equal(expected, error.StatusCode);
    }

    /// <summary>Every kind of call and each end of its streams; all are waited for, so that one that hangs is found.</summary>
    private static async Task AssertAllEnd(StatusCode expected, string address, double? seconds)
    {
        using var channel = GrpcChannel.ForAddress(address);
        var client = new Trial.TrialClient(channel);
        DateTime? deadline = seconds is { } s ? DateTime.UtcNow.AddSeconds(s) : null;
        var request = new TrialRequest();
        using var unary = client.EchoAsync(request, deadline: deadline);
        using var down = client.Down(request, deadline: deadline);
        using var up = client.Up(deadline: deadline);
        using var both = client.Both(deadline: deadline);
        Task[] ends =
        [
            unary.ResponseAsync, unary.ResponseHeadersAsync, down.ResponseStream.MoveNext(), Flood(up.RequestStream), up.ResponseAsync,
            Flood(both.RequestStream), both.ResponseStream.MoveNext(), both.ResponseHeadersAsync,
        ];
        foreach (var end in ends)
            Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => end.WaitAsync(Limit))).StatusCode);
        Assert.Equal(expected, both.GetStatus().StatusCode);
    }
}
