using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Sloring.Contracts;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>
/// Leaves an audit entry for every read of a patient's masking (rule O3). Entries of many callers share one commit, so a read costs
/// a share of a commit, not a commit.
/// </summary>
public sealed class AuditReads<TDb>(Store<TDb> store) : BackgroundService where TDb : ServiceDb
{
    private const int LargestBatch = 512;

    private readonly Channel<(string Actor, MaskingRead Read, TaskCompletionSource Done)> _waiting =
        Channel.CreateBounded<(string, MaskingRead, TaskCompletionSource)>(new BoundedChannelOptions(50_000) { SingleReader = true });

    /// <summary>Completes once the entry is durable: await it before the answer leaves, where the read is one of masking state itself.</summary>
    /// <exception cref="RejectedException">SLR-504: it could not be written.</exception>
    public async Task Record(Caller caller, string operation, PatientKey? patient, string? about, CancellationToken cancel)
    {
        try
        {
            await (await Enqueue(caller, operation, patient, about, cancel)).WaitAsync(cancel);
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
    public async Task RecordSoon(Caller caller, string operation, PatientKey? patient, CancellationToken cancel) =>
        _ = await Enqueue(caller, operation, patient, null, cancel);

    private async ValueTask<Task> Enqueue(Caller caller, string operation, PatientKey? patient, string? about, CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var read = new MaskingRead { PatientKey = patient?.ToString(), Operation = operation, Client = caller.ClientId, About = about, From = caller.From };
        await _waiting.Writer.WriteAsync((caller.Actor, read, done), cancel);
        return done.Task;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<(string Actor, MaskingRead Read, TaskCompletionSource Done)>();
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            batch.Clear();
            while (batch.Count < LargestBatch && _waiting.Reader.TryRead(out var next))
                batch.Add(next);
            try
            {
                await store.Write("", async scope =>
                {
                    foreach (var (actor, read, _) in batch)
                        await scope.Append(read, actor);
                }, CancellationToken.None);
                batch.ForEach(entry => entry.Done.SetResult());
            }
            catch (Exception e)
            {
                batch.ForEach(entry => entry.Done.SetException(e));
                // Nobody may be waiting for it: seen here, so that it is not reported a second time.
                batch.ForEach(entry => _ = entry.Done.Task.Exception);
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
}
