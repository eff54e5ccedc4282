// What ASP.NET Core and the container bring to it: authorization, interceptors, scopes, options, typed clients.
using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.ClientFactory;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sloring.Tests.Interop.V1;
using Xunit;

namespace Sloring.Tests.Interop;

public sealed class HostingTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly ConcurrentQueue<string> log = new();

    [Theory]
    [InlineData(null, "Enter", StatusCode.Unauthenticated), InlineData("guest", "Enter", StatusCode.PermissionDenied), InlineData("staff", "Enter", StatusCode.OK)]
    [InlineData(null, "Look", StatusCode.Unauthenticated), InlineData("guest", "Look", StatusCode.OK), InlineData(null, "Knock", StatusCode.OK)]
    public async Task Authorization_FollowsClassAndMethod(string? caller, string method, StatusCode expected)
    {
        await using var server = await TrialServer.Start();
        using var channel = GrpcChannel.ForAddress(server.Address);
        var client = new Guarded.GuardedClient(channel);
        Metadata headers = caller is null ? [] : new() { { "authorization", caller } };
        var call = method switch
        {
            "Enter" => client.EnterAsync(new TrialRequest(), headers),
            "Look" => client.LookAsync(new TrialRequest(), headers),
            _ => client.KnockAsync(new TrialRequest(), headers),
        };
        var code = StatusCode.OK;
        try
        {
            Assert.Equal(method == "Knock" ? "" : caller, (await call.ResponseAsync.WaitAsync(Limit)).Text);
        }
        catch (RpcException e)
        {
            code = e.StatusCode;
        }
        Assert.Equal(expected, code);
    }

    [Fact]
    public async Task Endpoints_CarryAttributesAndConventions()
    {
        await using var app = WebApplication.CreateSlimBuilder().With(b => b.Services.AddGrpc()).Build();
        app.MapGrpcService<GuardedService>().WithMetadata("a convention");
        var enter = ((IEndpointRouteBuilder)app).DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Single(e => e.RoutePattern.RawText == "/sloring.interop.v1.Guarded/Enter");
        Assert.Equal([null, "staff"], enter.Metadata.GetOrderedMetadata<AuthorizeAttribute>().Select(a => a.Roles));
        Assert.Contains("a convention", enter.Metadata.OfType<string>());
        Assert.Equal(typeof(GuardedService), enter.Metadata.GetMetadata<GrpcMethodMetadata>()!.ServiceType);
    }

    [Fact]
    public async Task MapGrpcServiceWithoutAddGrpc_SaysWhatIsMissing()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();
        Assert.Contains("AddGrpc", Assert.Throws<InvalidOperationException>(() => app.MapGrpcService<TrialService>()).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task ExceptionOfAHandler_IsToldOnlyWithDetailedErrors(bool detailed)
    {
        await using var server = await TrialServer.Start(o => o.EnableDetailedErrors = detailed);
        using var channel = GrpcChannel.ForAddress(server.Address);
        var error = await Assert.ThrowsAsync<RpcException>(() => new Trial.TrialClient(channel).EchoAsync(new TrialRequest { Act = "throw" }).ResponseAsync.WaitAsync(Limit));
        Assert.Equal(StatusCode.Unknown, error.StatusCode);
        Assert.Equal(detailed, error.Status.Detail.Contains("the inside story", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ClientsThatLeave_AreNoErrorsOfTheServer()
    {
        var errors = new ErrorLog();
        await using (var server = await TrialServer.Start(services: s => s.AddLogging(l => l.AddProvider(errors))))
        {
            using var channel = GrpcChannel.ForAddress(server.Address);
            var client = new Trial.TrialClient(channel);
            for (var i = 0; i < 50; i++)
            {
                var request = new TrialRequest { Act = "flood", Text = $"{i}", Delay = i % 10, Data = ByteString.CopyFrom(new byte[5000]) };
                using (var down = client.Down(request))
                    Assert.True(await down.ResponseStream.MoveNext().WaitAsync(Limit));
                using (var both = client.Both())
                {
                    await both.RequestStream.WriteAsync(request);
                    Assert.True(await both.ResponseStream.MoveNext().WaitAsync(Limit));
                }
                using (var up = client.Up())
                    await up.RequestStream.WriteAsync(request);
                using (client.EchoAsync(new TrialRequest { Delay = 10_000 }))
                {
                }
            }
        }
        Assert.Empty(errors.Messages);
    }

    [Fact]
    public async Task AnswerOverTheServersLimit_IsNotSent()
    {
        await using var server = await TrialServer.Start(o => o.MaxSendMessageSize = 1000);
        using var channel = GrpcChannel.ForAddress(server.Address);
        var client = new Trial.TrialClient(channel);
        var error = await Assert.ThrowsAsync<RpcException>(() => client.EchoAsync(new TrialRequest { Act = "blob", Count = 1001 }).ResponseAsync.WaitAsync(Limit));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task ServerInterceptors_WrapEveryKindOfCallInOrder()
    {
        await using var server = await TrialServer.Start(o =>
        {
            o.Interceptors.Add<LoggingInterceptor>("outer");
            o.Interceptors.Add<LoggingInterceptor>("inner");
            o.Interceptors.Add<RegisteredInterceptor>();
        }, s => s.AddSingleton(log).AddScoped<RegisteredInterceptor>());
        using var channel = GrpcChannel.ForAddress(server.Address);
        await CallAll(new Trial.TrialClient(channel));
        Assert.Equal(4, log.Count(l => l == "registered disposed"));
        Assert.Equal(
            [.. new[] { "Unary", "ServerStreaming", "ClientStreaming", "DuplexStreaming" }.SelectMany(k => new[] { $"outer {k}", $"inner {k}", $"registered {k}" })],
            log.Where(l => l != "registered disposed"));
    }

    [Fact]
    public async Task ServerInterceptor_MayRefuseACall()
    {
        await using var server = await TrialServer.Start(o => o.Interceptors.Add<RefusingInterceptor>());
        using var channel = GrpcChannel.ForAddress(server.Address);
        var error = await Assert.ThrowsAsync<RpcException>(() => new Trial.TrialClient(channel).EchoAsync(new TrialRequest()).ResponseAsync.WaitAsync(Limit));
        Assert.Equal((StatusCode.OutOfRange, "/sloring.interop.v1.Trial/Echo"), (error.StatusCode, error.Status.Detail));
    }

    [Fact]
    public async Task ClientInterceptors_WrapEveryKindOfCallInOrder()
    {
        await using var server = await TrialServer.Start();
        using var channel = GrpcChannel.ForAddress(server.Address);
        var client = new Trial.TrialClient(channel.Intercept(new ClientLog("outer", log), new ClientLog("inner", log)));
        await CallAll(client);
        Assert.Equal([.. new[] { "Unary", "ServerStreaming", "ClientStreaming", "DuplexStreaming" }.SelectMany(k => new[] { $"outer {k}", $"inner {k}" })], log);
    }

    [Fact]
    public async Task HeadersAddedByAnInterceptor_AreSent()
    {
        await using var server = await TrialServer.Start();
        using var channel = GrpcChannel.ForAddress(server.Address);
        var invoker = channel.Intercept(headers =>
        {
            headers.Add("authorization", "guest");
            return headers;
        });
        Assert.Equal("guest", (await new Guarded.GuardedClient(invoker).LookAsync(new TrialRequest()).ResponseAsync.WaitAsync(Limit)).Text);
    }

    [Fact]
    public async Task CallCredentials_NeedTlsOrLeave()
    {
        await using var server = await TrialServer.Start();
        var credentials = CallCredentials.FromInterceptor((context, metadata) =>
        {
            log.Enqueue($"{new Uri(context.ServiceUrl).AbsolutePath} {context.MethodName}");
            metadata.Add("authorization", "guest");
            return Task.CompletedTask;
        });
        using var timid = GrpcChannel.ForAddress(server.Address);
        var error = await Assert.ThrowsAsync<RpcException>(() =>
            new Guarded.GuardedClient(timid).LookAsync(new TrialRequest(), new CallOptions(credentials: credentials)).ResponseAsync.WaitAsync(Limit));
        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
        using var bold = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, credentials),
            UnsafeUseInsecureChannelCallCredentials = true,
        });
        Assert.Equal("guest", (await new Guarded.GuardedClient(bold).LookAsync(new TrialRequest()).ResponseAsync.WaitAsync(Limit)).Text);
        Assert.Equal(["/sloring.interop.v1.Guarded Look"], log);
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress(server.Address, new() { Credentials = ChannelCredentials.SecureSsl }));
    }

    [Fact]
    public async Task TypedClient_IsMadeWithItsOptions()
    {
        await using var server = await TrialServer.Start();
        var services = new ServiceCollection().AddLogging().AddSingleton(log).AddScoped<Caller>();
        services.AddGrpcClient<Guarded.GuardedClient>(o => o.Address = new Uri(server.Address))
            .ConfigureChannel(o => o.UnsafeUseInsecureChannelCallCredentials = true)
            .ConfigurePrimaryHttpMessageHandler(() => new CountingHandler(log))
            .AddInterceptor(() => new ClientLog("channel", log))
            .AddInterceptor(InterceptorScope.Client, provider => new ClientLog(provider.GetRequiredService<Caller>().Name, log))
            .AddCallCredentials((_, metadata, provider) =>
            {
                metadata.Add("authorization", provider.GetRequiredService<Caller>().Name);
                return Task.CompletedTask;
            });
        await using var provider = services.BuildServiceProvider(validateScopes: true);
        foreach (var name in new[] { "guest", "staff" })
        {
            await using var scope = provider.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<Caller>().Name = name;
            var client = scope.ServiceProvider.GetRequiredService<Guarded.GuardedClient>();
            Assert.Equal(name, (await client.LookAsync(new TrialRequest()).ResponseAsync.WaitAsync(Limit)).Text);
        }
        Assert.Equal(["guest Unary", "channel Unary", "sent", "staff Unary", "channel Unary", "sent"], log);
    }

    [Fact]
    public void TypedClientWithoutAddressOrTls_SaysWhatIsMissing()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddGrpcClient<Trial.TrialClient>();
        services.AddGrpcClient<Guarded.GuardedClient>(o => o.Address = new Uri("http://127.0.0.1:1")).AddCallCredentials((_, _) => Task.CompletedTask);
        using var provider = services.BuildServiceProvider();
        Assert.Contains("address", Assert.Throws<InvalidOperationException>(provider.GetRequiredService<Trial.TrialClient>).Message, StringComparison.Ordinal);
        Assert.Contains("TLS", Assert.Throws<InvalidOperationException>(provider.GetRequiredService<Guarded.GuardedClient>).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServiceOfACall_LivesInItsScopeAndIsDisposed()
    {
        await using var server = await TrialServer.Start(b =>
        {
            b.Services.AddGrpc();
            b.Services.AddSingleton(log).AddScoped<Caller>();
        }, app =>
        {
            app.Use((http, next) =>
            {
                http.RequestServices.GetRequiredService<Caller>().Name = "scoped";
                return next(http);
            });
            app.MapGrpcService<ScopedService>();
        });
        using var channel = GrpcChannel.ForAddress(server.Address);
        var reply = await new Trial.TrialClient(channel).EchoAsync(new TrialRequest { Text = "hej" }).ResponseAsync.WaitAsync(Limit);
        Assert.Equal("scoped /sloring.interop.v1.Trial/Echo ipv4:127.0.0.1 2", reply.Text);
        Assert.Equal(["disposed"], log);
    }

    [Fact]
    public async Task HandlerThatSetsAStatusAnswersNothingOrWritesTwiceAtOnce_IsHeard()
    {
        await using var server = await TrialServer.Start(b =>
        {
            b.Services.AddGrpc();
            b.Services.AddSingleton(log).AddScoped<Caller>();
        }, app => app.MapGrpcService<ScopedService>());
        using var channel = GrpcChannel.ForAddress(server.Address);
        var client = new Trial.TrialClient(channel);
        async Task<StatusCode> CodeOf(string act) =>
            (await Assert.ThrowsAsync<RpcException>(() => client.EchoAsync(new TrialRequest { Act = act }).ResponseAsync.WaitAsync(Limit))).StatusCode;
        Assert.Equal(StatusCode.AlreadyExists, await CodeOf("status"));
        Assert.Equal(StatusCode.Cancelled, await CodeOf("null"));
        using var down = client.Down(new TrialRequest());
        Assert.True(await down.ResponseStream.MoveNext().WaitAsync(Limit));
        Assert.True(await down.ResponseStream.MoveNext().WaitAsync(Limit));
        Assert.Equal(nameof(InvalidOperationException), down.ResponseStream.Current.Text);
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => client.Up().ResponseAsync.WaitAsync(Limit))).StatusCode);
    }

    private static async Task CallAll(Trial.TrialClient client)
    {
        await client.EchoAsync(new TrialRequest()).ResponseAsync.WaitAsync(Limit);
        using var down = client.Down(new TrialRequest { Count = 1 });
        while (await down.ResponseStream.MoveNext().WaitAsync(Limit))
        {
        }
        using var up = client.Up();
        await up.RequestStream.CompleteAsync();
        await up.ResponseAsync.WaitAsync(Limit);
        using var both = client.Both();
        await both.RequestStream.CompleteAsync();
        Assert.False(await both.ResponseStream.MoveNext().WaitAsync(Limit));
    }

    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Messages { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Messages.Enqueue($"{formatter(state, exception)} {exception}");
        }

        public void Dispose()
        {
        }
    }

    internal sealed class Caller
    {
        public string Name { get; set; } = "";
    }

    internal sealed class ScopedService(Caller caller, ConcurrentQueue<string> log) : Trial.TrialBase, IDisposable
    {
        public override Task<TrialReply> Echo(TrialRequest request, ServerCallContext context)
        {
            if (request.Act == "status")
                context.Status = new Status(StatusCode.AlreadyExists, "");
            if (request.Act == "null")
                return Task.FromResult<TrialReply>(null!);
            context.UserState["a"] = "b";
            var peer = context.Peer[..context.Peer.LastIndexOf(':')];
            return Task.FromResult(new TrialReply { Text = $"{caller.Name} {context.Method} {peer} {context.GetHttpContext().Request.Protocol[^1]}" });
        }

        public override async Task Down(TrialRequest request, IServerStreamWriter<TrialReply> responseStream, ServerCallContext context)
        {
            var first = responseStream.WriteAsync(new TrialReply { Data = ByteString.CopyFrom(new byte[3_000_000]) }); // more than the client takes unread
            var second = await Record.ExceptionAsync(() => responseStream.WriteAsync(new TrialReply()));
            await first;
            await responseStream.WriteAsync(new TrialReply { Text = second?.GetType().Name ?? "" });
        }

        public void Dispose() => log.Enqueue("disposed");
    }

    internal class LoggingInterceptor(ConcurrentQueue<string> log, string name) : Interceptor
    {
        protected ConcurrentQueue<string> Log => log;

        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            log.Enqueue($"{name} Unary");
            return continuation(request, context);
        }

        public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
        {
            log.Enqueue($"{name} ClientStreaming");
            return continuation(requestStream, context);
        }

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
            ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            log.Enqueue($"{name} ServerStreaming");
            return continuation(request, responseStream, context);
        }

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
            DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        {
            log.Enqueue($"{name} DuplexStreaming");
            return continuation(requestStream, responseStream, context);
        }
    }

    internal sealed class RegisteredInterceptor(ConcurrentQueue<string> log) : LoggingInterceptor(log, "registered"), IDisposable
    {
        public void Dispose() => Log.Enqueue("registered disposed");
    }

    internal sealed class RefusingInterceptor : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
            throw new RpcException(new Status(StatusCode.OutOfRange, context.Method));
    }

    private sealed class ClientLog(string name, ConcurrentQueue<string> log) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            log.Enqueue($"{name} {context.Method.Type}");
            return continuation(request, context);
        }

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
            AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            log.Enqueue($"{name} {context.Method.Type}");
            return continuation(request, context);
        }

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            log.Enqueue($"{name} {context.Method.Type}");
            return continuation(context);
        }

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            log.Enqueue($"{name} {context.Method.Type}");
            return continuation(context);
        }
    }

    private sealed class CountingHandler(ConcurrentQueue<string> log) : DelegatingHandler(new SocketsHttpHandler { UseProxy = false })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            log.Enqueue("sent");
            return base.SendAsync(request, cancellationToken);
        }
    }
}

file static class Builders
{
    public static WebApplicationBuilder With(this WebApplicationBuilder builder, Action<WebApplicationBuilder> change)
    {
        change(builder);
        return builder;
    }
}
