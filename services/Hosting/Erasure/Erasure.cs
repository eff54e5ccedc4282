using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>The erasure of one kind of record of one service, where the database's type does not matter.</summary>
public interface IErasure
{
    string Service { get; }

    RecordKind Kind { get; }

    /// <summary>
    /// Erases all that ended before an instant, batch by batch beside the service's work. A batch is a transaction and what is to be erased is looked up anew
    /// in each: any number of replicas may be at it, and whoever starts again, after a kill too, goes on with what is left.
    /// </summary>
    Task Erase(DateTimeOffset before, CancellationToken cancel);
}

/// <summary>Erases batch by batch.</summary>
internal abstract class Erasure<TDb>(Store<TDb> store) : IErasure where TDb : ServiceDb
{
    public string Service => store.Service;

    public abstract RecordKind Kind { get; }

    public async Task Erase(DateTimeOffset before, CancellationToken cancel)
    {
        var erased = false;
        while (await store.Read(db => IsDue(db, before, cancel), cancel) && await store.Write(store.Service, scope => EraseBatch(scope, before), cancel))
            erased = true;
        if (erased)
            await store.Scrub(cancel);
    }

    /// <summary>Whether anything is to be erased; asked before the right to write is taken, since as a rule there is nothing.</summary>
    protected abstract Task<bool> IsDue(TDb db, DateTimeOffset before, CancellationToken cancel);

    /// <summary>Few enough that other writers hardly wait.</summary>
    /// <returns>Whether anything was erased.</returns>
    protected abstract Task<bool> EraseBatch(WriteScope<TDb> scope, DateTimeOffset before);
}

/// <summary>What a service knows of the rows of one kind: which are to be erased, and what goes with them.</summary>
public interface IErasableRows<TDb> where TDb : ServiceDb
{
    RecordKind Kind { get; }

    /// <summary>Whether any ended before an instant.</summary>
    Task<bool> Any(TDb db, DateTimeOffset before, CancellationToken cancel);

    /// <summary>Erases a batch of those that ended before an instant, oldest first, with all that belongs to them.</summary>
    /// <returns>How many; 0 where none is left.</returns>
    Task<int> Erase(WriteScope<TDb> scope, DateTimeOffset before);
}

/// <summary>Erases a service's own rows; each batch leaves an audit entry.</summary>
internal sealed class EraseRows<TDb>(Store<TDb> store, IErasableRows<TDb> rows) : Erasure<TDb>(store) where TDb : ServiceDb
{
    public override RecordKind Kind => rows.Kind;

    protected override Task<bool> IsDue(TDb db, DateTimeOffset before, CancellationToken cancel) => rows.Any(db, before, cancel);

    protected override async Task<bool> EraseBatch(WriteScope<TDb> scope, DateTimeOffset before)
    {
        var erased = await rows.Erase(scope, before);
        if (erased > 0)
            await scope.Append(new RecordsErased { Kind = Kind.Name, Before = before, Rows = erased });
        return erased > 0;
    }
}
