// Thousands of calls that are cancelled, time out or are abandoned, on a server that is killed half-way. Functional and interop tests
// were all green while a trial of the library still crashed the server, hung the client and lost exceptions; only this found it.
using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Sloring.Tests.Interop.V1;
using Xunit;

namespace Sloring.Tests.Interop;

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class ChaosTests
{
    private const int Callers = 32;
    private const int Calls = 12_000;

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(3);

    private readonly ConcurrentQueue<string> wrong = new();
    private readonly ConcurrentDictionary<StatusCode, int> outcomes = new();
    private TaskCompletionSource up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int done;

    [Fact]
    public async Task KilledServerAndImpatientClients_NeverHangNorLie()
    {
        var unobserved = new ConcurrentQueue<string>();
        EventHandler<UnobservedTaskExceptionEventArgs> note = (_, e) => unobserved.Enqueue(e.Exception.ToString());
        TaskScheduler.UnobservedTaskException += note;
        var server = await ServerProcess.StartOwn();
        try
        {
            up.SetResult();
            using var channel = GrpcChannel.ForAddress(server.Address);
            var client = new Trial.TrialClient(channel);
            var halfway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var callers = Enumerable.Range(0, Callers).Select(seed => Task.Run(() => Caller(client, new Random(seed), halfway))).ToArray();

            await halfway.Task.WaitAsync(RunLimit);
            Assert.False(server.HasExited, $"The server died by itself. {server.Errors}");
            up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await server.Kill();
            var port = server.Port;
            await server.DisposeAsync();
            server = await ServerProcess.StartOwn(port);
            up.SetResult();
            await Task.WhenAll(callers).WaitAsync(RunLimit);

            Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Take(10)));
            Assert.False(server.HasExited, $"The server died by itself. {server.Errors}");
            for (var i = 0; i < 100; i++)
                Assert.Equal(i, (await client.EchoAsync(new TrialRequest { Number = i }, deadline: DateTime.UtcNow.AddSeconds(10))).Number);
            Assert.Equal(0, (await client.EchoAsync(new TrialRequest { Act = "unobserved" })).Number);
            foreach (var code in new[] { StatusCode.OK, StatusCode.Cancelled, StatusCode.DeadlineExceeded, StatusCode.Unavailable })
                Assert.True(outcomes.ContainsKey(code), $"No call ended with {code}: this was no chaos.");
        }
        finally
        {
            await server.DisposeAsync();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            TaskScheduler.UnobservedTaskException -= note;
            TestContext.Current.SendDiagnosticMessage(string.Join(", ", outcomes.Select(o => $"{o.Key}: {o.Value}")));
        }
        Assert.True(unobserved.IsEmpty, string.Join('\n', unobserved.Take(3)));
    }

    private async Task Caller(Trial.TrialClient client, Random random, TaskCompletionSource halfway)
    {
        int number;
        while ((number = Interlocked.Increment(ref done)) <= Calls)
        {
            if (number == Calls / 2)
                halfway.TrySetResult();
            var code = StatusCode.OK;
            var what = "";
            try
            {
                await Call(client, random, number, w => what = w).WaitAsync(CallLimit);
            }
            catch (RpcException e)
            {
                code = e.StatusCode;
                if (code is not (StatusCode.Cancelled or StatusCode.DeadlineExceeded or StatusCode.Unavailable))
                    wrong.Enqueue($"{what}: {e}");
            }
            catch (Exception e)
            {
                wrong.Enqueue($"{what}: {e}");
            }
            outcomes.AddOrUpdate(code, 1, (_, n) => n + 1);
            if (code == StatusCode.Unavailable)
                await up.Task.WaitAsync(RunLimit); // or the rest of the calls would be spent on a closed port
        }
    }

    private static async Task Call(Trial.TrialClient client, Random random, int number, Action<string> say)
    {
        using var cancellation = new CancellationTokenSource();
        var options = new CallOptions(cancellationToken: cancellation.Token);
        var mood = random.Next(4);
        var patience = random.Next(1, 21);
        if (mood == 1)
            options = options.WithDeadline(DateTime.UtcNow.AddMilliseconds(patience));
        else if (mood == 2)
            cancellation.CancelAfter(patience);
        var abandons = mood == 3;
        var request = new TrialRequest
        {
            Number = number,
            Text = $"call {number}",
            Count = random.Next(1, 30),
            Delay = random.Next(3) == 0 ? random.Next(1, 10) : 0,
            Data = ByteString.CopyFrom(new byte[random.Next(8) == 0 ? random.Next(200_000) : random.Next(500)]),
        };
        var kind = random.Next(4);
        say($"kind {kind}, mood {mood}, patience {patience}, {request.CalculateSize()} bytes");
        switch (kind)
        {
            case 0:
                using (var call = client.EchoAsync(request, options))
                {
                    if (abandons && random.Next(2) == 0)
                        return;
                    var reply = await call;
                    Expect(reply.Number == number && reply.Text == request.Text && reply.Data.Length == request.Data.Length, "echo");
                }
                break;
            case 1:
                using (var call = client.Down(request, options))
                {
                    var taken = 0;
                    var stop = abandons ? random.Next(request.Count) : int.MaxValue;
                    while (taken < stop && await call.ResponseStream.MoveNext(CancellationToken.None))
                        Expect(call.ResponseStream.Current.Number == taken++, "order of answers");
                    Expect(abandons || taken == request.Count, "number of answers");
                }
                break;
            case 2:
                using (var call = client.Up(options))
                {
                    for (var i = 0; i < request.Count; i++)
                        await call.RequestStream.WriteAsync(request);
                    if (abandons)
                        return;
                    await call.RequestStream.CompleteAsync();
                    var reply = await call;
                    Expect(reply.Count == request.Count && reply.Number == (long)number * request.Count, "sum");
                }
                break;
            case 3:
                using (var call = client.Both(options))
                {
                    var writing = Write(call.RequestStream, request, complete: !abandons);
                    var taken = 0;
                    var stop = abandons ? random.Next(request.Count) : int.MaxValue;
                    try
                    {
                        while (taken < stop && await call.ResponseStream.MoveNext(CancellationToken.None))
                        {
                            Expect(call.ResponseStream.Current.Number == number, "echo in a stream");
                            taken++;
                        }
                        Expect(abandons || taken == request.Count, "number of echoes");
                    }
                    finally
                    {
                        call.Dispose();
                        await writing; // throws what the reader does, or the cancellation just made
                    }
                }
                break;
        }
    }

    private static async Task Write(IClientStreamWriter<TrialRequest> stream, TrialRequest request, bool complete)
    {
        for (var i = 0; i < request.Count; i++)
            await stream.WriteAsync(request);
        if (complete)
            await stream.CompleteAsync();
    }

    private static void Expect(bool right, string what)
    {
        if (!right)
            throw new UnreachableException($"Wrong result: {what}.");
    }
}
