using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;

namespace Sloring.Hosting;

/// <summary>How a row is found by its key. Writes that wait together and name what they will look up have it read in one query for all of them.</summary>
/// <param name="keyOf">A row's key: a property's value, or a tuple of several. No two rows that are searched have the same.</param>
/// <param name="properties">The names of these properties, in the same order.</param>
/// <param name="among">Which rows are searched; null for all.</param>
/// <param name="isOnlyRead">No write that names its rows changes one of these: writes that read the same one still go together.</param>
public sealed class Lookup<TDb, TKey, TRow>(
    Func<TRow, TKey> keyOf, IReadOnlyList<string> properties, Func<IQueryable<TRow>, IQueryable<TRow>>? among = null, bool isOnlyRead = false) : ILookup<TDb>
    where TDb : ServiceDb where TKey : notnull where TRow : class
{
    /// <summary>Names a row, whether or not there is one.</summary>
    public Row<TDb> Row(TKey key) => new(this, key);

    bool ILookup<TDb>.IsOnlyRead => isOnlyRead;

    KeySet ILookup<TDb>.Keys(IReadOnlyList<object> keys) =>
        new(typeof(TRow), properties, [.. keys.Select(key => key is ITuple parts ? [.. Enumerable.Range(0, parts.Length).Select(i => parts[i]!)] : new[] { key })]);

    async Task ILookup<TDb>.Load(TDb db, Database database, IReadOnlyList<object> keys, Dictionary<Row<TDb>, object?> into, CancellationToken cancel)
    {
        var rows = database.Find<TRow>(db, ((ILookup<TDb>)this).Keys(keys));
        foreach (var row in await (among is null ? rows : among(rows)).ToListAsync(cancel))
            into[Row(keyOf(row))] = row;
    }
}

/// <summary>A row by name: which lookup, which key.</summary>
public readonly record struct Row<TDb> where TDb : ServiceDb
{
    internal Row(ILookup<TDb> lookup, object key) => (Lookup, Key) = (lookup, key);

    internal ILookup<TDb> Lookup { get; }

    internal object Key { get; }
}

/// <summary>A lookup where the types of key and row do not matter.</summary>
internal interface ILookup<TDb> where TDb : ServiceDb
{
    bool IsOnlyRead { get; }

    /// <summary>Keys as the database is asked for them.</summary>
    KeySet Keys(IReadOnlyList<object> keys);

    /// <summary>Reads the rows of some keys.</summary>
    Task Load(TDb db, Database database, IReadOnlyList<object> keys, Dictionary<Row<TDb>, object?> into, CancellationToken cancel);
}

/// <summary>Keys of rows of one type, each the values of some properties.</summary>
internal sealed record KeySet(Type Row, IReadOnlyList<string> Properties, IReadOnlyList<object[]> Keys);
