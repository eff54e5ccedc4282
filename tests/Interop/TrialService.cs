// The service of proto/trial.proto; js/server.mjs does the same in JavaScript.
using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Sloring.Tests.Interop.V1;

namespace Sloring.Tests.Interop;

internal sealed class TrialService(TrialService.Memory memory) : Trial.TrialBase
{
    public const string FailureText = "bad luck: æøå, 100 %, tab\tand line\nbreak";

    public static readonly byte[] AllBytes = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];

    /// <summary>What outlives a call: which texts were entered and cancelled, and the count of unobserved exceptions in this process.</summary>
    internal sealed class Memory(Func<int> unobserved)
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource> marks = new(StringComparer.Ordinal);

        public int Unobserved => unobserved();

        public TaskCompletionSource Entered(string text) => Mark($"entered {text}");

        public TaskCompletionSource Cancelled(string text) => Mark($"cancelled {text}");

        private TaskCompletionSource Mark(string mark) =>
            marks.GetOrAdd(mark, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    public override async Task<TrialReply> Echo(TrialRequest request, ServerCallContext context)
    {
        switch (request.Act)
        {
            case "metadata":
                Metadata headers = [];
                foreach (var entry in context.RequestHeaders.GetAll("x-text"))
                    headers.Add(entry);
                foreach (var entry in context.RequestHeaders.GetAll("x-data-bin"))
                    context.ResponseTrailers.Add(entry);
                await context.WriteResponseHeadersAsync(headers);
                break;
            case "deadline":
                return new TrialReply { Number = context.Deadline == DateTime.MaxValue ? -1 : (long)(context.Deadline - DateTime.UtcNow).TotalMilliseconds };
            case "stubborn":
                await Task.Delay(request.Delay, CancellationToken.None);
                return Reply(request);
            case "throw":
                throw new InvalidOperationException("the inside story");
            case "blob":
                return new TrialReply { Data = ByteString.CopyFrom(new byte[request.Count]) };
            case "entered":
                await memory.Entered(request.Text).Task.WaitAsync(context.CancellationToken);
                return Reply(request);
            case "seen":
                await memory.Cancelled(request.Text).Task.WaitAsync(context.CancellationToken);
                return Reply(request);
            case "unobserved":
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return new TrialReply { Number = memory.Unobserved };
        }
        using var _ = new Witness(memory, () => request.Text, context.CancellationToken);
        if (request.Delay > 0)
            memory.Entered(request.Text).TrySetResult();
        await Pause(request, context);
        return Reply(request);
    }

    public override async Task Down(TrialRequest request, IServerStreamWriter<TrialReply> responseStream, ServerCallContext context)
    {
        using var _ = new Witness(memory, () => request.Text, context.CancellationToken);
        for (var i = 0; i < request.Count || request.Act == "flood"; i++)
        {
            await Pause(request, context, last: false);
            var reply = Reply(request);
            reply.Number = i;
            await responseStream.WriteAsync(reply, context.CancellationToken);
        }
        Fail(request);
    }

    public override async Task<TrialReply> Up(IAsyncStreamReader<TrialRequest> requestStream, ServerCallContext context)
    {
        var reply = new TrialReply();
        var text = "";
        using var _ = new Witness(memory, () => text, context.CancellationToken);
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            text = request.Text;
            await Pause(request, context);
            reply.Count++;
            reply.Number += request.Number;
        }
        return reply;
    }

    public override async Task Both(
        IAsyncStreamReader<TrialRequest> requestStream, IServerStreamWriter<TrialReply> responseStream, ServerCallContext context)
    {
        await context.WriteResponseHeadersAsync([]);
        var text = "";
        using var _ = new Witness(memory, () => text, context.CancellationToken);
        while (await requestStream.MoveNext())
        {
            text = requestStream.Current.Text;
            await Pause(requestStream.Current, context);
            await responseStream.WriteAsync(Reply(requestStream.Current));
        }
    }

    private static TrialReply Reply(TrialRequest request) =>
        new() { Text = request.Text, Number = request.Number, Count = request.Count, Data = request.Data };

    private static async Task Pause(TrialRequest request, ServerCallContext context, bool last = true)
    {
        if (request.Delay > 0)
            await Task.Delay(request.Delay, context.CancellationToken);
        if (last)
            Fail(request);
    }

    private static void Fail(TrialRequest request)
    {
        if (request.Fail == 0)
            return;
        Metadata trailers = new()
        {
            { "reason", "first" }, { "reason", "second" }, { "reason-bin", AllBytes }, { "grpc-status-details-bin", [8, 5] },
        };
        throw new RpcException(new Status((StatusCode)request.Fail, FailureText), trailers);
    }

    /// <summary>Remembers that a call was cancelled; asks once more at the end, for a handler may be faster than its token's callbacks.</summary>
    private sealed class Witness : IDisposable
    {
        private readonly Action remember;
        private readonly CancellationToken cancellation;
        private readonly CancellationTokenRegistration registration;

        public Witness(Memory memory, Func<string> text, CancellationToken cancellation)
        {
            remember = () => memory.Cancelled(text()).TrySetResult();
            this.cancellation = cancellation;
            registration = cancellation.Register(remember);
        }

        public void Dispose()
        {
            registration.Dispose();
            if (cancellation.IsCancellationRequested)
                remember();
        }
    }
}

[Authorize]
internal sealed class GuardedService : Guarded.GuardedBase
{
    [Authorize(Roles = "staff")]
    public override Task<TrialReply> Enter(TrialRequest request, ServerCallContext context) => Look(request, context);

    public override Task<TrialReply> Look(TrialRequest request, ServerCallContext context) =>
        Task.FromResult(new TrialReply { Text = context.GetHttpContext().User.Identity!.Name });

    [AllowAnonymous]
    public override Task<TrialReply> Knock(TrialRequest request, ServerCallContext context) => Task.FromResult(new TrialReply());
}
