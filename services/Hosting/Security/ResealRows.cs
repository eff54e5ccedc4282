using System.Data.Common;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Keys.V1;

namespace Sloring.Hosting;

/// <summary>Brings a service's rows under the current sealing key, where the database's type does not matter.</summary>
public interface IResealRows
{
    string Service { get; }

    /// <summary>Seals at most so many texts anew.</summary>
    /// <returns>How many; how many it came to that cannot be opened and stay as they are; whether some may be left that it has not come to.</returns>
    Task<(int Resealed, int Unreadable, bool More)> Reseal(int most, string actor, CancellationToken cancel);
}

/// <summary>
/// Seals texts anew that lie under another key than the current one, batch by batch beside the service's work. Nothing is remembered of how
/// far it came: a text tells its key, so whoever starts again, after a kill too, goes on with what is left. A row that is changed meanwhile is
/// left alone and found again. One that cannot be opened is counted and passed over: it must not keep all those behind it under the old key.
/// The journal's texts stay as they are: its hashes cover them.
/// </summary>
public sealed class ResealRows<TDb>(Store<TDb> store, Sealer sealer) : IResealRows where TDb : ServiceDb
{
    /// <summary>Few enough that other writers hardly wait.</summary>
    private const int BatchSize = 200;

    public string Service => store.Service;

    public async Task<(int Resealed, int Unreadable, bool More)> Reseal(int most, string actor, CancellationToken cancel)
    {
        var (resealed, unreadable) = (0, 0);
        foreach (var column in await store.Read(db => Task.FromResult(db.SealedColumns), cancel))
        {
            object[]? after = null;
            while (true)
            {
                var limit = Math.Min(BatchSize, most - resealed);
                if (limit == 0)
                    return (resealed, unreadable, true);
                var rows = await store.Read(db => OtherKeys(db, column, after, limit, cancel), cancel);
                if (rows.Count == 0)
                    break;
                var anew = rows.Select(row => SealedAnew(row, column.Purpose)).OfType<Row>().ToList();
                unreadable += rows.Count - anew.Count;
                if (anew.Count > 0)
                {
                    resealed += await store.Write(actor, async scope =>
                    {
                        var changed = 0;
                        foreach (var row in anew)
                            changed += await Replace(scope.Db, column, row, scope.Cancel);
                        if (changed > 0)
                            await scope.Append(new RowsResealed { KeyId = sealer.KeyId, Rows = changed });
                        return changed;
                    }, cancel);
                }
                after = rows[^1].Key;
            }
        }
        return (resealed, unreadable, false);
    }

    /// <summary>Null where it cannot be opened.</summary>
    private Row? SealedAnew(Row row, string purpose)
    {
        try
        {
            return row with { Anew = sealer.Seal(sealer.Open(row.Text, purpose), purpose) };
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return null;
        }
    }

    private async Task<List<Row>> OtherKeys(TDb db, SealedColumn column, object[]? after, int limit, CancellationToken cancel)
    {
        var ((table, text, key), prefix) = (Names(db, column), sealer.CurrentPrefix);
        var names = string.Join(", ", key);
        await using var select = Command(db,
            // Not LIKE: to SQLite the ids a and A would be one.
            $"SELECT {names}, {text} FROM {table} WHERE {text} <> '' AND substr({text}, 1, {prefix.Length}) <> @prefix"
            + (after is null ? "" : $" AND ({names}) > ({string.Join(", ", key.Select((_, i) => $"@k{i}"))})") + $" ORDER BY {names} LIMIT {limit}",
            [("@prefix", prefix), .. (after ?? []).Select((value, i) => ($"@k{i}", value))]);
        await using var reader = await select.ExecuteReaderAsync(cancel);
        var rows = new List<Row>();
        while (await reader.ReadAsync(cancel))
            rows.Add(new Row([.. Enumerable.Range(0, key.Count).Select(reader.GetValue)], reader.GetString(key.Count), ""));
        return rows;
    }

    private static async Task<int> Replace(TDb db, SealedColumn column, Row row, CancellationToken cancel)
    {
        var (table, text, key) = Names(db, column);
        await using var update = Command(db,
            $"UPDATE {table} SET {text} = @anew WHERE {text} = @text AND {string.Join(" AND ", key.Select((name, i) => $"{name} = @k{i}"))}",
            [("@anew", row.Anew), ("@text", row.Text), .. row.Key.Select((value, i) => ($"@k{i}", value))]);
        return await update.ExecuteNonQueryAsync(cancel);
    }

    private static (string Table, string Text, IReadOnlyList<string> Key) Names(TDb db, SealedColumn column)
    {
        var entity = db.Model.FindEntityType(column.Entity)!;
        var table = StoreObjectIdentifier.Table(entity.GetTableName()!, entity.GetSchema());
        string Quoted(IProperty property) => $"\"{property.GetColumnName(table)}\"";
        return ($"\"{table.Name}\"", Quoted(entity.FindProperty(column.Property)!), [.. entity.FindPrimaryKey()!.Properties.Select(Quoted)]);
    }

    private static DbCommand Command(TDb db, string sql, IEnumerable<(string Name, object Value)> values)
    {
        var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        command.Transaction = db.Database.CurrentTransaction!.GetDbTransaction();
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }
        return command;
    }

    private sealed record Row(object[] Key, string Text, string Anew);
}

/// <summary>An operator's call: brings rows under the current key, some thousands at a time.</summary>
public sealed class KeyRpcs(IEnumerable<IResealRows> rows, Sealer sealer) : KeyService.KeyServiceBase
{
    /// <summary>A call that answers within seconds.</summary>
    private const int Most = 10_000;

    [Microsoft.AspNetCore.Authorization.Authorize(Operations.RotateKeys)]
    public override Task<RotateKeysResponse> RotateKeys(RotateKeysRequest request, Grpc.Core.ServerCallContext context) =>
        RotateKeys(request, context.Caller(), context.CancellationToken);

    public async Task<RotateKeysResponse> RotateKeys(RotateKeysRequest request, Caller caller, CancellationToken cancel)
    {
        var service = rows.SingleOrDefault(service => service.Service == request.Service) ?? throw new RejectedException(Rejections.CodeUnknown.For("service"));
        var (resealed, unreadable, more) = await service.Reseal(Most, caller.Actor, cancel);
        return new RotateKeysResponse { KeyId = sealer.KeyId, Resealed = resealed, Unreadable = unreadable, More = more };
    }
}
