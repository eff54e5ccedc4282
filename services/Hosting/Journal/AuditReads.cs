using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sloring.Contracts;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>
/// Leaves an audit entry for every read of a patient's masking (rule O3). Entries of many callers share one commit, so a read costs
/// a share of a commit, not a commit.
/// </summary>
public sealed class AuditReads<TDb>(Store<TDb> store, ILogger<AuditReads<TDb>> log) : BackgroundService where TDb : ServiceDb
{
    private const int LargestBatch = 512;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Channel<Waiting> _waiting = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(50_000) { SingleReader = true });

    /// <summary>Completes once the entry is durable: await it before the answer leaves, where the read is one of masking state itself.</summary>
    /// <exception cref="RejectedException">SLR-504: it could not be written.</exception>
    public async Task Record(Caller caller, string operation, PatientKey? patient, string? about, CancellationToken cancel, int? names = null)
    {
        try
        {
            var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await Enqueue(caller, operation, patient, about, names, answer, cancel);
            await answer.Task.WaitAsync(cancel);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new RejectedException(Rejections.AuditUnavailable);
        }
    }

    /// <summary>
    /// Completes once the entry is queued; it is durable within milliseconds. For masking itself, which must not depend on a database
    /// from one instant to the next: a full queue makes callers wait, so no read goes unrecorded for long.
    /// </summary>
    public Task RecordSoon(Caller caller, string operation, PatientKey? patient, CancellationToken cancel) =>
        Enqueue(caller, operation, patient, null, null, null, cancel).AsTask();

    private ValueTask Enqueue(Caller caller, string operation, PatientKey? patient, string? about, int? names, TaskCompletionSource? answer, CancellationToken cancel)
    {
        var read = new MaskingRead
        {
            PatientKey = patient?.ToString(),
            Operation = operation,
            Client = caller.ClientId,
            About = about,
            Names = names,
            From = caller.From,
            Role = string.Join(' ', Operations.Allowed[operation].Where(caller.Is)),
        };
        return _waiting.Writer.WriteAsync(new Waiting(caller.Actor, read, answer), cancel);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Waiting>();
        while (batch.Count > 0 || await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < LargestBatch && _waiting.Reader.TryRead(out var next))
                batch.Add(next);
            try
            {
                await store.Write(store.Service, async scope =>
                {
                    foreach (var (actor, read, _) in batch)
                        await scope.Append(read, actor);
                }, CancellationToken.None);
                batch.ForEach(entry => entry.Answer?.SetResult());
                batch.Clear();
            }
            catch (Exception e)
            {
                Faults.Log(log, e, $"Auditing reads of {store.Service}");
                // Who waits is refused and may ask again. What was answered already is kept until it is written.
                batch.ForEach(entry => entry.Answer?.SetException(e));
                batch.RemoveAll(entry => entry.Answer is not null);
                if (stoppingToken.IsCancellationRequested)
                    return;
                await Task.Delay(Pause, CancellationToken.None);
            }
        }
    }

    /// <summary>What is queued when the host stops is still written.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _waiting.Writer.TryComplete();
        if (ExecuteTask is { } running)
            await running.WaitAsync(cancellationToken);
        await base.StopAsync(cancellationToken);
    }

    /// <summary>An entry to be written, and whoever waits for it; null where the read has been answered already.</summary>
    private sealed record Waiting(string Actor, MaskingRead Read, TaskCompletionSource? Answer);
}
