using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;

namespace Sloring.Hosting;

/// <summary>Tokens that the platform's own services call each other with: client credentials, kept until shortly before they expire.</summary>
public sealed class ServiceTokens(SecretStore secrets, IOptions<TokenOptions> options, TimeProvider clock) : IDisposable
{
    /// <summary>A token service that restarts is waited for a moment; whoever calls has a deadline of its own.</summary>
    private static readonly ResiliencePipeline Fetching = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
    {
        ShouldHandle = new PredicateBuilder().Handle<HttpRequestException>(),
        MaxRetryAttempts = 4,
        BackoffType = DelayBackoffType.Exponential,
        Delay = TimeSpan.FromMilliseconds(50),
        UseJitter = true,
    }).Build();

    /// <summary>So long is a token service waited for while the token at hand is still good.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>After a fetch that failed, the token at hand serves so long before the next.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http = new(Outgoing.To(Address(options.Value))) { Timeout = TimeSpan.FromSeconds(10) };

    private readonly Dictionary<Asked, Kept> _tokens = [];
    private readonly SemaphoreSlim _fetching = new(1, 1);

    /// <summary>A valid token of a service; the service's name is its client id.</summary>
    public ValueTask<string> Of(string service, CancellationToken cancel) => Of(new Asked(service, ""), cancel);

    /// <summary>The same with one role alone, for whoever should not be able to use the others.</summary>
    /// <exception cref="HttpRequestException">The token service is away, or the client does not have the role.</exception>
    public ValueTask<string> With(string role, string service, CancellationToken cancel) => Of(new Asked(service, role), cancel);

    private async ValueTask<string> Of(Asked service, CancellationToken cancel)
    {
        if (Find(service) is { } fresh && clock.GetUtcNow() < fresh.RenewAt)
            return fresh.Token;
        var good = Good(service);
        // One fetches for all; nobody waits for that whose token is still good.
        if (!await _fetching.WaitAsync(good is null ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancel))
            return good!.Token;
        try
        {
            if (Find(service) is { } fetched && clock.GetUtcNow() < fetched.RenewAt)
                return fetched.Token;
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            if (good is not null)
                limited.CancelAfter(Patience);
            return Keep(service, await Fetch(service, limited.Token)).Token;
        }
        catch (Exception e) when (good is not null && e is (HttpRequestException or OperationCanceledException) && !cancel.IsCancellationRequested)
        {
            // The token service is away for a moment, or longer: what it gave is good until it expires.
            lock (_tokens)
                _tokens[service] = good! with { RenewAt = clock.GetUtcNow() + Pause };
            return good!.Token;
        }
        finally
        {
            _fetching.Release();
        }
    }

    private async Task<TokenAnswer> Fetch(Asked service, CancellationToken cancel)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = service.Client,
            ["client_secret"] = secrets.Text("client/" + service.Client),
            ["scope"] = service.Role,
        });
        var endpoint = new Uri(Address(options.Value).TrimEnd('/') + "/connect/token");
        return await Fetching.ExecuteAsync(async token =>
        {
            using var response = await Post(endpoint, form, token);
            response.EnsureSuccessStatusCode();
            return (await response.Content.ReadFromJsonAsync<TokenAnswer>(token))!;
        }, cancel);
    }

    /// <summary>A connection that is broken off in the moment in which it is made comes as a socket's own exception, past HttpClient's.</summary>
    private async Task<HttpResponseMessage> Post(Uri endpoint, FormUrlEncodedContent form, CancellationToken cancel)
    {
        try
        {
            return await _http.PostAsync(endpoint, form, cancel);
        }
        catch (SocketException e)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, null, e);
        }
    }

    private Kept Keep(Asked service, TokenAnswer answer)
    {
        var now = clock.GetUtcNow();
        var kept = new Kept(answer.AccessToken, now.AddSeconds(answer.ExpiresIn * 0.8), now.AddSeconds(answer.ExpiresIn));
        lock (_tokens)
            _tokens[service] = kept;
        return kept;
    }

    private Kept? Find(Asked service)
    {
        lock (_tokens)
            return _tokens.GetValueOrDefault(service);
    }

    private Kept? Good(Asked service) => Find(service) is { } kept && clock.GetUtcNow() < kept.ExpiresAt ? kept : null;

    private static string Address(TokenOptions token) => token.Reached(token.Issuer);

    /// <summary>Drops a token that was refused.</summary>
    public void Forget(string service)
    {
        lock (_tokens)
            _tokens.Remove(new Asked(service, ""));
    }

    public void Dispose()
    {
        _http.Dispose();
        _fetching.Dispose();
    }

    private readonly record struct Asked(string Client, string Role);

    private sealed record Kept(string Token, DateTimeOffset RenewAt, DateTimeOffset ExpiresAt);

    private sealed record TokenAnswer([property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] int ExpiresIn);
}

/// <summary>Puts the calling service's token on every call it makes.</summary>
internal sealed class ServiceTokenInterceptor(ServiceTokens tokens, string service) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        Task<AsyncUnaryCall<TResponse>> Call() => Start(token => continuation(request, With(context, token)), context.Options.CancellationToken);
        var call = Call();
        return new AsyncUnaryCall<TResponse>(
            Answer(call, Call), Then(call, c => c.ResponseHeadersAsync),
            () => call.Result.GetStatus(), () => call.Result.GetTrailers(), () => _ = DisposeWhenStarted(call));
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var call = Start(token => continuation(request, With(context, token)), context.Options.CancellationToken);
        return new AsyncServerStreamingCall<TResponse>(
            new LateReader<TResponse>(Then(call, c => Task.FromResult(c.ResponseStream)), () => tokens.Forget(service)), Then(call, c => c.ResponseHeadersAsync),
            () => call.Result.GetStatus(), () => call.Result.GetTrailers(), () => _ = DisposeWhenStarted(call));
    }

    /// <summary>A token can expire, or its key be rotated, on the way: once more with a new one.</summary>
    private async Task<TResponse> Answer<TResponse>(Task<AsyncUnaryCall<TResponse>> first, Func<Task<AsyncUnaryCall<TResponse>>> again)
    {
        try
        {
            return await (await first).ResponseAsync;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unauthenticated)
        {
            tokens.Forget(service);
            using var second = await again();
            return await second.ResponseAsync;
        }
    }

    private async Task<TCall> Start<TCall>(Func<string, TCall> start, CancellationToken cancel)
    {
        try
        {
            return start(await tokens.Of(service, cancel));
        }
        // A token service that stands still ends the wait by HttpClient's own limit, which looks like a cancellation that nobody asked for.
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The token service cannot be reached."));
        }
    }

    private static async Task<T> Then<TCall, T>(Task<TCall> call, Func<TCall, Task<T>> next) => await next(await call);

    private static async Task DisposeWhenStarted<TCall>(Task<TCall> call) where TCall : IDisposable
    {
        try
        {
            (await call).Dispose();
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            // It never started; whoever awaits it has been told.
        }
    }

    internal static ClientInterceptorContext<TRequest, TResponse> With<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context, string token)
        where TRequest : class where TResponse : class
    {
        var headers = new Metadata();
        foreach (var entry in context.Options.Headers ?? [])
            headers.Add(entry);
        headers.Add("authorization", "Bearer " + token);
        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, context.Options.WithHeaders(headers));
    }

    /// <summary>A stream cannot be begun again from here; whoever does must not meet the refused token again.</summary>
    private sealed class LateReader<T>(Task<IAsyncStreamReader<T>> stream, Action forget) : IAsyncStreamReader<T>
    {
        public T Current => stream.Result.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            try
            {
                return await (await stream).MoveNext(cancellationToken);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unauthenticated)
            {
                forget();
                throw;
            }
        }
    }
}
