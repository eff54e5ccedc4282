using System.Data.Common;
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
    /// <returns>How many, and whether some may be left.</returns>
    Task<(int Resealed, bool More)> Reseal(int most, string actor, CancellationToken cancel);
}

/// <summary>
/// Seals texts anew that lie under another key than the current one, batch by batch beside the service's work. Nothing is remembered of how
/// far it came: a text tells its key, so whoever starts again, after a kill too, goes on with what is left. A row that is changed meanwhile is
/// left alone and found again. The journal's texts stay as they are: its hashes cover them.
/// </summary>
public sealed class ResealRows<TDb>(Store<TDb> store, Sealer sealer) : IResealRows where TDb : ServiceDb
{
    /// <summary>Few enough that other writers hardly wait.</summary>
    private const int BatchSize = 200;

    public string Service => store.Service;

    public async Task<(int Resealed, bool More)> Reseal(int most, string actor, CancellationToken cancel)
    {
        var resealed = 0;
        foreach (var column in await store.Read(db => Task.FromResult(db.SealedColumns), cancel))
        {
            object[]? after = null;
            while (true)
            {
                var limit = Math.Min(BatchSize, most - resealed);
                if (limit == 0)
                    return (resealed, true);
                var rows = await store.Read(db => OtherKeys(db, column, after, limit, cancel), cancel);
                if (rows.Count == 0)
                    break;
                var anew = rows.ConvertAll(row => row with { Anew = sealer.Seal(sealer.Open(row.Text, column.Purpose), column.Purpose) });
                resealed += await store.Write(actor, async scope =>
                {
                    var changed = 0;
                    foreach (var row in anew)
                        changed += await Replace(scope.Db, column, row, scope.Cancel);
                    if (changed > 0)
                        await scope.Append(new RowsResealed { KeyId = sealer.KeyId, Rows = changed });
                    return changed;
                }, cancel);
                after = rows[^1].Key;
            }
        }
        return (resealed, false);
    }

    private async Task<List<Row>> OtherKeys(TDb db, SealedColumn column, object[]? after, int limit, CancellationToken cancel)
    {
        var (table, text, key) = Names(db, column);
        var names = string.Join(", ", key);
        await using var select = Command(db,
            $"SELECT {names}, {text} FROM {table} WHERE {text} <> '' AND {text} NOT LIKE @prefix"
            + (after is null ? "" : $" AND ({names}) > ({string.Join(", ", key.Select((_, i) => $"@k{i}"))})") + $" ORDER BY {names} LIMIT {limit}",
            [("@prefix", sealer.CurrentPrefix + "%"), .. (after ?? []).Select((value, i) => ($"@k{i}", value))]);
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
        var (resealed, more) = await service.Reseal(Most, caller.Actor, cancel);
        return new RotateKeysResponse { KeyId = sealer.KeyId, Resealed = resealed, More = more };
    }
}
