// Our client, all call kinds and behaviours, against each server that offers the Trial service: our own and JavaScript's.
using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Sloring.Tests.Interop.V1;
using Xunit;

namespace Sloring.Tests.Interop;

public sealed class OwnServer : IAsyncLifetime, IAddress
{
    private TrialServer? server;

    public string Address => server!.Address;
    public async ValueTask InitializeAsync() => server = await TrialServer.Start();
    public ValueTask DisposeAsync() => server!.DisposeAsync();
}

public sealed class ForeignServer : IAsyncLifetime, IAddress
{
    private ServerProcess? server;

    public string Address => server!.Address;
    public async ValueTask InitializeAsync() => server = await Node.StartServer();
    public ValueTask DisposeAsync() => server!.DisposeAsync();
}

public interface IAddress
{
    string Address { get; }
}

public sealed class ClientOfOwnServerTests(OwnServer server) : ClientTests(server), IClassFixture<OwnServer>;

public sealed class ClientOfForeignServerTests(ForeignServer server) : ClientTests(server), IClassFixture<ForeignServer>;

public abstract class ClientTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly IAddress server;
    private readonly GrpcChannel channel;
    private readonly Trial.TrialClient client;

    protected ClientTests(IAddress server)
    {
        this.server = server;
        channel = GrpcChannel.ForAddress(server.Address);
        client = new Trial.TrialClient(channel);
    }

    private static DateTime In(double seconds) => DateTime.UtcNow.AddSeconds(seconds);

    [Fact]
    public async Task UnaryCall_GivesTheAnswer()
    {
        var request = new TrialRequest { Text = "rødgrød", Number = long.MinValue / 4, Count = 3, Data = ByteString.CopyFrom(TrialService.AllBytes) };
        using var call = client.EchoAsync(request, deadline: In(10));
        var reply = await call.ResponseAsync.WaitAsync(Limit);
        Assert.Equal((request.Text, request.Count, request.Data), (reply.Text, reply.Count, reply.Data));
        Assert.Equal(Status.DefaultSuccess.StatusCode, call.GetStatus().StatusCode);
        Assert.NotNull(await call.ResponseHeadersAsync.WaitAsync(Limit));
        Assert.Empty(call.GetTrailers());
    }

    [Fact]
    public void BlockingCall_GivesTheAnswer() => Assert.Equal("x", client.Echo(new TrialRequest { Text = "x" }, deadline: In(10)).Text);

    [Fact]
    public async Task EmptyMessage_GivesAnEmptyAnswer() =>
        Assert.Equal(new TrialReply(), await client.EchoAsync(new TrialRequest(), deadline: In(10)).ResponseAsync.WaitAsync(Limit));

    [Fact]
    public async Task ServerStream_GivesEveryAnswerInOrder()
    {
        using var call = client.Down(new TrialRequest { Count = 1000, Data = ByteString.CopyFrom(new byte[300]) }, deadline: In(10));
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        var numbers = new List<long>();
        await foreach (var reply in call.ResponseStream.ReadAllAsync())
            numbers.Add(reply.Number);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), numbers);
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task EmptyServerStream_EndsWell()
    {
        using var call = client.Down(new TrialRequest(), deadline: In(10));
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(Limit));
    }

    [Fact]
    public async Task ClientStream_IsSummedUp()
    {
        using var call = client.Up(deadline: In(10));
        for (var i = 1; i <= 500; i++)
            await call.RequestStream.WriteAsync(new TrialRequest { Number = i });
        await call.RequestStream.CompleteAsync();
        var reply = await call.ResponseAsync.WaitAsync(Limit);
        Assert.Equal((500, 125250), (reply.Count, reply.Number));
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new TrialRequest()));
    }

    [Fact]
    public async Task EmptyClientStream_IsAnswered()
    {
        using var call = client.Up(deadline: In(10));
        await call.RequestStream.CompleteAsync();
        Assert.Equal(0, (await call.ResponseAsync.WaitAsync(Limit)).Count);
    }

    [Fact]
    public async Task DuplexStream_AnswersEachMessage()
    {
        using var call = client.Both(deadline: In(10));
        for (var i = 0; i < 200; i++)
        {
            await call.RequestStream.WriteAsync(new TrialRequest { Number = i });
            Assert.True(await call.ResponseStream.MoveNext().WaitAsync(Limit));
            Assert.Equal(i, call.ResponseStream.Current.Number);
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(Limit));
    }

    [Fact]
    public async Task DuplexStreamWithReaderAndWriterApart_LosesNothing()
    {
        using var call = client.Both(deadline: In(20));
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
                await call.RequestStream.WriteAsync(new TrialRequest { Number = i, Data = ByteString.CopyFrom(new byte[2000]) });
            await call.RequestStream.CompleteAsync();
        });
        var next = 0;
        await foreach (var reply in call.ResponseStream.ReadAllAsync())
            Assert.Equal(next++, reply.Number);
        Assert.Equal(2000, next);
        await writing.WaitAsync(Limit);
    }

    [Fact]
    public async Task ServerThatSendsHeadersFirst_IsHeardBeforeTheFirstMessage()
    {
        using var call = client.Both(deadline: In(10));
        await call.ResponseHeadersAsync.WaitAsync(Limit);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(Limit));
    }

    [Fact]
    public async Task LargeMessages_ArriveWhole()
    {
        var data = new byte[3_900_000];
        new Random(1).NextBytes(data);
        var reply = await client.EchoAsync(new TrialRequest { Data = ByteString.CopyFrom(data) }, deadline: In(10)).ResponseAsync.WaitAsync(Limit);
        Assert.True(reply.Data.Span.SequenceEqual(data));
    }

    [Theory, InlineData(StatusCode.NotFound), InlineData(StatusCode.Unauthenticated), InlineData(StatusCode.DataLoss)]
    public async Task Refusal_CarriesStatusMessageAndTrailers(StatusCode code)
    {
        using var call = client.EchoAsync(new TrialRequest { Fail = (int)code }, deadline: In(10));
        AssertFailure(code, await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.WaitAsync(Limit)));
        Assert.Equal(code, call.GetStatus().StatusCode);
        Assert.NotNull(call.GetTrailers().GetValueBytes("reason-bin"));
    }

    [Fact]
    public async Task RefusalAfterMessages_ComesAfterThem()
    {
        using var call = client.Down(new TrialRequest { Count = 5, Fail = (int)StatusCode.Aborted }, deadline: In(10));
        for (var i = 0; i < 5; i++)
            Assert.True(await call.ResponseStream.MoveNext().WaitAsync(Limit));
        AssertFailure(StatusCode.Aborted, await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().WaitAsync(Limit)));
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task RefusedClientStream_TellsWriterAndReader()
    {
        using var call = client.Up(deadline: In(10));
        // The server may refuse, and reset the stream, before this write has returned.
        await Record.ExceptionAsync(() => call.RequestStream.WriteAsync(new TrialRequest { Fail = (int)StatusCode.FailedPrecondition }).WaitAsync(Limit));
        AssertFailure(StatusCode.FailedPrecondition, await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.WaitAsync(Limit)));
        var written = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new TrialRequest()).WaitAsync(Limit));
        Assert.Equal(StatusCode.FailedPrecondition, written.StatusCode);
    }

    [Fact]
    public async Task RefusedDuplexStream_StopsAWriterThatNeverEnds()
    {
        using var call = client.Both(deadline: In(10));
        var writing = Task.Run(async () =>
        {
            while (true)
                await call.RequestStream.WriteAsync(new TrialRequest { Fail = (int)StatusCode.Aborted, Data = ByteString.CopyFrom(new byte[1000]) });
        });
        AssertFailure(StatusCode.Aborted, await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().WaitAsync(Limit)));
        await Assert.ThrowsAsync<RpcException>(() => writing.WaitAsync(Limit));
    }

    [Fact]
    public async Task Deadline_IsKnownToTheServer()
    {
        var with = await client.EchoAsync(new TrialRequest { Act = "deadline" }, deadline: In(60)).ResponseAsync.WaitAsync(Limit);
        Assert.InRange(with.Number, 40_000, 60_100);
        var days = await client.EchoAsync(new TrialRequest { Act = "deadline" }, deadline: DateTime.UtcNow.AddDays(20)).ResponseAsync.WaitAsync(Limit);
        Assert.InRange(TimeSpan.FromMilliseconds(days.Number).TotalDays, 19.9, 20.1);
        var without = await client.EchoAsync(new TrialRequest { Act = "deadline" }).ResponseAsync.WaitAsync(Limit);
        Assert.Equal(-1, without.Number);
    }

    [Fact]
    public async Task PassedDeadline_EndsTheCallOnBothSides()
    {
        var text = Guid.NewGuid().ToString();
        using var call = client.EchoAsync(new TrialRequest { Delay = 60_000, Text = text }, deadline: In(2));
        await Server("entered", text);
        await AssertEnds(StatusCode.DeadlineExceeded, () => call.ResponseAsync);
        await Server("seen", text);
    }

    [Fact]
    public async Task PassedDeadline_EndsAServerStreamInTheMiddle()
    {
        using var call = client.Down(new TrialRequest { Count = 1000, Delay = 20 }, deadline: In(0.3));
        Assert.True(await call.ResponseStream.MoveNext());
        await AssertEnds(StatusCode.DeadlineExceeded, async () =>
        {
            while (await call.ResponseStream.MoveNext())
            {
            }
        });
        Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task DeadlineOfAHandlerThatIgnoresIt_IsAnsweredInTime()
    {
        var started = Stopwatch.StartNew();
        await AssertEnds(StatusCode.DeadlineExceeded, () => client.EchoAsync(new TrialRequest { Act = "stubborn", Delay = 5000 }, deadline: In(0.1)).ResponseAsync);
        Assert.InRange(started.ElapsedMilliseconds, 0, 4000);
    }

    [Fact]
    public async Task DeadlineInThePast_EndsTheCallAtOnce()
    {
        await AssertEnds(StatusCode.DeadlineExceeded, () => client.EchoAsync(new TrialRequest(), deadline: In(-1)).ResponseAsync);
        using var stream = client.Both(deadline: In(-1));
        await AssertEnds(StatusCode.DeadlineExceeded, () => stream.RequestStream.WriteAsync(new TrialRequest()));
        await AssertEnds(StatusCode.DeadlineExceeded, () => stream.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task CancelledToken_EndsTheCallOnBothSides()
    {
        var text = Guid.NewGuid().ToString();
        using var cancellation = new CancellationTokenSource();
        using var call = client.EchoAsync(new TrialRequest { Delay = 60_000, Text = text }, cancellationToken: cancellation.Token);
        await Server("entered", text);
        cancellation.Cancel();
        await AssertEnds(StatusCode.Cancelled, () => call.ResponseAsync);
        await Server("seen", text);
    }

    [Fact]
    public async Task TokenCancelledBeforehand_EndsTheCallAtOnce() =>
        await AssertEnds(StatusCode.Cancelled, () => client.EchoAsync(new TrialRequest(), cancellationToken: new CancellationToken(true)).ResponseAsync);

    [Fact]
    public async Task DisposedStream_IsCancelledOnTheServer()
    {
        var text = Guid.NewGuid().ToString();
        var call = client.Down(new TrialRequest { Act = "flood", Text = text, Data = ByteString.CopyFrom(new byte[16_384]) });
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(Limit));
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => call.ResponseStream.MoveNext());
        await Server("seen", text);
    }

    [Fact]
    public async Task TokenOfARead_CancelsTheCall()
    {
        using var call = client.Both();
        using var cancellation = new CancellationTokenSource(100);
        await AssertEnds(StatusCode.Cancelled, () => call.ResponseStream.MoveNext(cancellation.Token));
        await AssertEnds(StatusCode.Cancelled, () => call.RequestStream.WriteAsync(new TrialRequest()));
    }

    [Fact]
    public async Task CancelledRequestStream_DoesNotLookCompleteToTheServer()
    {
        var text = Guid.NewGuid().ToString();
        using var call = client.Both();
        await call.RequestStream.WriteAsync(new TrialRequest { Text = text });
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(Limit)); // the server has the text it remembers
        call.Dispose();
        await AssertEnds(StatusCode.Cancelled, () => call.RequestStream.WriteAsync(new TrialRequest()));
        await Server("seen", text);
    }

    [Fact]
    public async Task DisposedChannel_EndsItsCalls()
    {
        var own = GrpcChannel.ForAddress(server.Address);
        using var call = new Trial.TrialClient(own).Both();
        await call.ResponseHeadersAsync.WaitAsync(Limit);
        var reading = call.ResponseStream.MoveNext();
        own.Dispose();
        await AssertEnds(StatusCode.Cancelled, () => reading);
        Assert.Throws<ObjectDisposedException>(() => new Trial.TrialClient(own).EchoAsync(new TrialRequest()));
    }

    [Fact]
    public async Task ChannelThatThrowsOperationCanceled_DoesSoForTokenAndDeadline()
    {
        using var own = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = true });
        var patient = new Trial.TrialClient(own);
        using var cancellation = new CancellationTokenSource(100);
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => patient.EchoAsync(new TrialRequest { Delay = 60_000 }, cancellationToken: cancellation.Token).ResponseAsync.WaitAsync(Limit));
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => patient.EchoAsync(new TrialRequest { Delay = 60_000 }, deadline: In(0.1)).ResponseAsync.WaitAsync(Limit));
        var refused = await Assert.ThrowsAsync<RpcException>(() => patient.EchoAsync(new TrialRequest { Fail = 9 }).ResponseAsync.WaitAsync(Limit));
        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
    }

    [Fact]
    public async Task Metadata_TravelsBothWays()
    {
        Metadata sent = new()
        {
            { "X-Text", "one" }, { "x-text", "two" },
            { "x-data-bin", TrialService.AllBytes }, { "x-data-bin", [1] }, { "x-data-bin", [1, 2] }, { "x-data-bin", [] },
        };
        using var call = client.EchoAsync(new TrialRequest { Act = "metadata" }, sent, In(10));
        await call.ResponseAsync.WaitAsync(Limit);
        var headers = await call.ResponseHeadersAsync;
        Assert.Equal("one, two", string.Join(", ", headers.GetAll("x-text").Select(e => e.Value))); // a peer may join text values
        Assert.Equal([TrialService.AllBytes, [1], [1, 2], []], call.GetTrailers().GetAll("x-data-bin").Select(e => e.ValueBytes));
    }

    [Fact]
    public async Task TooLargeAnswer_IsRefused()
    {
        using var own = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { MaxReceiveMessageSize = 1000 });
        await AssertEnds(StatusCode.ResourceExhausted,
            () => new Trial.TrialClient(own).EchoAsync(new TrialRequest { Act = "blob", Count = 1001 }).ResponseAsync);
    }

    [Fact]
    public async Task TooLargeRequest_IsNotSent()
    {
        using var own = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { MaxSendMessageSize = 1000 });
        var small = new Trial.TrialClient(own);
        var large = new TrialRequest { Data = ByteString.CopyFrom(new byte[1001]) };
        await AssertEnds(StatusCode.ResourceExhausted, () => small.EchoAsync(large).ResponseAsync);
        using var stream = small.Up();
        await AssertEnds(StatusCode.ResourceExhausted, () => stream.RequestStream.WriteAsync(large));
    }

    [Fact]
    public async Task RequestOverTheServersLimit_IsRefused() => await AssertEnds(StatusCode.ResourceExhausted,
        () => client.EchoAsync(new TrialRequest { Data = ByteString.CopyFrom(new byte[5_000_000]) }, deadline: In(10)).ResponseAsync);

    [Fact]
    public async Task UnknownMethodOrService_IsUnimplemented()
    {
        foreach (var (service, name) in new[] { ("sloring.interop.v1.Trial", "Nothing"), ("sloring.interop.v1.Nobody", "Echo") })
        {
            var method = new Method<string, string>(MethodType.Unary, service, name, Marshallers.StringMarshaller, Marshallers.StringMarshaller);
            await AssertEnds(StatusCode.Unimplemented, () => channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(deadline: In(10)), "x").ResponseAsync);
        }
    }

    [Fact]
    public async Task ManyCallsAtOnce_AllGetTheirOwnAnswer()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 500)
            .Select(i => client.EchoAsync(new TrialRequest { Number = i, Delay = 10 }, deadline: In(20)).ResponseAsync)).WaitAsync(Limit);
        Assert.Equal(Enumerable.Range(0, 500).Select(i => (long)i), replies.Select(r => r.Number));
    }

    [Fact]
    public async Task TwoWritesAtOnce_AreRefused()
    {
        using var call = client.Up(deadline: In(10));
        var large = new TrialRequest { Data = ByteString.CopyFrom(new byte[3_000_000]), Delay = 5000 };
        await call.RequestStream.WriteAsync(large);
        var blocked = call.RequestStream.WriteAsync(large); // waits for the server to take what it was sent
        var second = call.RequestStream.WriteAsync(large);
        await Assert.ThrowsAsync<InvalidOperationException>(() => second.WaitAsync(Limit));
        call.Dispose();
        await AssertEnds(StatusCode.Cancelled, () => blocked);
    }

    public void Dispose()
    {
        channel.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Waits until the server has entered, or seen the cancellation of, the call with this text.</summary>
    private async Task Server(string act, string text) =>
        await client.EchoAsync(new TrialRequest { Act = act, Text = text }, deadline: In(15)).ResponseAsync.WaitAsync(Limit);

    private static async Task AssertEnds(StatusCode code, Func<Task> call) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(() => call().WaitAsync(Limit))).StatusCode);

    private static void AssertFailure(StatusCode code, RpcException error)
    {
        Assert.Equal((code, TrialService.FailureText), (error.StatusCode, error.Status.Detail));
        Assert.Equal("first, second", string.Join(", ", error.Trailers.GetAll("reason").Select(e => e.Value)));
        Assert.Equal(TrialService.AllBytes, error.Trailers.GetValueBytes("reason-bin"));
        Assert.Equal([8, 5], error.Trailers.GetValueBytes("grpc-status-details-bin"));
    }
}
