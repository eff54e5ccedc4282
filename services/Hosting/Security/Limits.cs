using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>
/// Settings under <c>Limits</c>, for each process by itself. The defaults are far above what a region sends, and above what two cores can answer: they stop a loop
/// that has run wild, and guessing.
/// </summary>
public sealed class LimitOptions
{
    /// <summary>Requests a second of one client, by the id in its token.</summary>
    public int ClientRequestsPerSecond { get; set; } = 20_000;

    /// <summary>Requests that a client may send at once after a pause.</summary>
    public int ClientBurst { get; set; } = 40_000;

    /// <summary>Requests a second from one address without a valid token: the token endpoint, discovery, and whatever is refused for its token.</summary>
    public int AddressRequestsPerSecond { get; set; } = 500;

    /// <summary>The same, at once after a pause.</summary>
    public int AddressBurst { get; set; } = 5_000;

    /// <summary>Watches of maskings that one client may have open.</summary>
    public int WatchesPerClient { get; set; } = 20;

    /// <summary>Streams of entries that one client may have open. Each may hold a message of 16 MiB that is still coming.</summary>
    public int StreamsPerClient { get; set; } = 50;
}

/// <summary>
/// How many requests are taken: per client where a token or credentials have shown who calls, per address before that. Who has a token is never refused for
/// what others at the same address do, since a whole hospital may be behind one.
/// </summary>
public sealed class Rates : IDisposable
{
    /// <summary>Ten times a second, so that what is given back comes evenly.</summary>
    private static readonly TimeSpan Replenished = TimeSpan.FromMilliseconds(100);

    private readonly PartitionedRateLimiter<string> _clients;
    private readonly PartitionedRateLimiter<string> _addresses;

    public Rates(IOptions<LimitOptions> options)
    {
        var limits = options.Value;
        _clients = Limiter(limits.ClientRequestsPerSecond, limits.ClientBurst);
        _addresses = Limiter(limits.AddressRequestsPerSecond, limits.AddressBurst);
    }

    /// <summary>
    /// Takes one request of a client that has shown who it is by what it sent, and not by a token: at the token endpoint and on the national wire, which are not
    /// counted by the pipeline.
    /// </summary>
    /// <exception cref="RejectedException">SLR-930; <paramref name="http"/> says when to come again.</exception>
    public void Take(HttpContext http, string clientId)
    {
        using var lease = _clients.AttemptAcquire(clientId);
        if (lease.IsAcquired)
            return;
        TellWhen(http, lease);
        throw new RejectedException(Rejections.TooManyRequests);
    }

    /// <summary>There, of whoever has not shown who they are: counted for the address, and SLR-930 in place of the refusal where there were too many.</summary>
    public Rejection OfAddress(HttpContext http, Rejection refusal)
    {
        using var lease = _addresses.AttemptAcquire(AddressOf(http));
        if (lease.IsAcquired)
            return refusal;
        TellWhen(http, lease);
        return Rejections.TooManyRequests;
    }

    /// <summary>Takes a request of an endpoint that is <see cref="AnsweredAtSignIn"/>.</summary>
    internal Task BeforeSignIn(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<AnsweredAtSignIn>() is null)
            return next(http);
        using var lease = _addresses.AttemptAcquire(AddressOf(http));
        return lease.IsAcquired ? next(http) : Refuse(http, lease);
    }

    /// <summary>Takes one of a client for a message of its stream, and waits until there is one: its sender knows no pace, and is held back by the connection.</summary>
    public async ValueTask Wait(string clientId, CancellationToken cancel)
    {
        while (true)
        {
            using var lease = _clients.AttemptAcquire(clientId);
            if (lease.IsAcquired)
                return;
            await Task.Delay(lease.TryGetMetadata(MetadataName.RetryAfter, out var after) && after > Replenished ? after : Replenished, cancel);
        }
    }

    public void Dispose()
    {
        _clients.Dispose();
        _addresses.Dispose();
    }

    /// <summary>Hands the limits to the framework's rate limiter.</summary>
    internal sealed class Setup(Rates rates) : IConfigureOptions<RateLimiterOptions>
    {
        public void Configure(RateLimiterOptions options)
        {
            options.GlobalLimiter = new Chosen(rates);
            options.OnRejected = (rejected, _) => new ValueTask(Refuse(rejected.HttpContext, rejected.Lease));
        }
    }

    private static Task Refuse(HttpContext http, RateLimitLease lease)
    {
        TellWhen(http, lease);
        return RejectionWriter.Write(http, Rejections.TooManyRequests);
    }

    /// <summary>Of IPv6 the /64: whoever has one address there has all of them.</summary>
    private static string AddressOf(HttpContext http) => Network.Of(http.Connection.RemoteIpAddress, bits4: 32, bits6: 64) ?? "";

    private static void TellWhen(HttpContext http, RateLimitLease lease)
    {
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)) : 1;
        http.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
    }

    private static PartitionedRateLimiter<string> Limiter(int perSecond, int burst) => PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.GetTokenBucketLimiter(
        key, _ => new TokenBucketRateLimiterOptions
        {
            ReplenishmentPeriod = Replenished,
            TokensPerPeriod = Math.Max(1, perSecond / 10),
            TokenLimit = burst,
            QueueLimit = 0,
        }), StringComparer.Ordinal);

    private sealed class Chosen(Rates rates) : PartitionedRateLimiter<HttpContext>
    {
        public override RateLimiterStatistics? GetStatistics(HttpContext resource) => null;

        protected override RateLimitLease AttemptAcquireCore(HttpContext resource, int permitCount) => resource.User.FindFirst("client_id")?.Value is { } client
            ? rates._clients.AttemptAcquire(client, permitCount)
            : rates._addresses.AttemptAcquire(AddressOf(resource), permitCount);

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(HttpContext resource, int permitCount, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AttemptAcquireCore(resource, permitCount));
    }
}

/// <summary>Metadata of an endpoint that a sign-in handler answers, and so before the rate limiter's turn in the pipeline.</summary>
public sealed class AnsweredAtSignIn;
