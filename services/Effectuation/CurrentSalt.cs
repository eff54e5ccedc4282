using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;
using Sloring.Contracts;
using Sloring.Contracts.Pseudonym.V1;

namespace Sloring.Effectuation;

/// <summary>
/// The salt in use, kept in memory: fetched at start, now and then, and when one is announced or made at once. An announced one is kept beside it,
/// so that every replica changes at its instant whether or not Pseudonym can be reached just then.
/// </summary>
public sealed class CurrentSalt(
    [FromKeyedServices(EffectuationModule.Name)] PseudonymService.PseudonymServiceClient pseudonyms, IOptions<EffectuationOptions> options, TimeProvider clock)
    : BackgroundService
{
    private static readonly ResiliencePipeline Fetching = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
    {
        // Whatever it is: one that is let through would end the process.
        MaxRetryAttempts = int.MaxValue,
        BackoffType = DelayBackoffType.Exponential,
        Delay = TimeSpan.FromMilliseconds(50),
        MaxDelay = TimeSpan.FromSeconds(2),
        UseJitter = true,
    }).AddTimeout(TimeSpan.FromSeconds(10)).Build();

    private readonly SemaphoreSlim _rotated = new(0, 1);
    private volatile Salts? _known;

    /// <summary>The text, as received, of the salt that is valid now.</summary>
    /// <exception cref="RejectedException">SLR-401: none has been fetched yet.</exception>
    public string Value => _known is { } known ? known.At(clock.GetUtcNow()) : throw new RejectedException(Rejections.NoSalt);

    public bool IsKnown => _known is not null;

    /// <summary>Has the salt fetched anew, soon: whoever calls does not wait for another service.</summary>
    public void Refetch()
    {
        lock (_rotated)
        {
            if (_rotated.CurrentCount == 0)
                _rotated.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            _known = Salts.Of(await Fetching.ExecuteAsync(
                async cancel => await pseudonyms.GetCurrentSaltAsync(new GetCurrentSaltRequest(), cancellationToken: cancel), stoppingToken));
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var timer = Task.Delay(TimeSpan.FromSeconds(options.Value.SaltRefreshSeconds), clock, waiting.Token);
            await Task.WhenAny(timer, _rotated.WaitAsync(waiting.Token));
            stoppingToken.ThrowIfCancellationRequested();
            await waiting.CancelAsync();
        }
    }

    public override void Dispose()
    {
        _rotated.Dispose();
        base.Dispose();
    }

    private sealed record Salts(string Current, string Next, DateTimeOffset NextFrom)
    {
        public static Salts Of(Salt salt) => salt.Next is { } next
            ? new Salts(salt.Value, next.Value, next.ValidFrom.ToDateTimeOffset())
            : new Salts(salt.Value, "", DateTimeOffset.MaxValue);

        public string At(DateTimeOffset now) => now < NextFrom ? Current : Next;
    }
}
