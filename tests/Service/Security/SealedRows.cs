using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Options;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Service.Security;

/// <summary>A service's database without the service: in each of its tables with sealed texts rows whose texts lie under one key. Whatever else a row has is made up.</summary>
internal sealed class SealedRows<TDb> : IAsyncDisposable where TDb : ServiceDb
{
    /// <summary>So many rows share the first part of a key that has several: the steps of so many cases.</summary>
    private const int Owners = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("sealed-").FullName;
    private readonly IDbContextFactory<TDb> _factory;

    private SealedRows(string service)
    {
        _factory = TestDatabase.Factory<TDb>(_folder, service);
        using var db = _factory.CreateDbContext();
        (Model, Columns) = (db.Model, db.SealedColumns);
    }

    public Store<TDb> Store { get; private set; } = null!;

    public IReadOnlyList<SealedColumn> Columns { get; }

    /// <summary>What is called so in the model.</summary>
    public IEnumerable<(Type, string)> CalledSealed =>
        Model.GetEntityTypes().SelectMany(entity => entity.GetProperties().Where(p => p.Name.StartsWith("Sealed", StringComparison.Ordinal)).Select(p => (entity.ClrType, p.Name)));

    private IModel Model { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<SealedRows<TDb>> Under(string key, string service, int count)
    {
        var rows = new SealedRows<TDb>(service);
        rows.Store = await TestDatabase.Ready<TDb>(rows._folder, service, TimeProvider.System);
        await rows.Fill(new Sealer(new SecretStore(rows.Secrets(key))), count);
        return rows;
    }

    /// <summary>The keys, this one of them current.</summary>
    public WatchedSecrets Secrets(string current)
    {
        var file = Path.Combine(_folder, "secrets.json");
        var secrets = File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file))! : [];
        secrets["sealing-key-current"] = current;
        File.WriteAllText(file, JsonSerializer.Serialize(secrets));
        return new WatchedSecrets(file);
    }

    /// <summary>What a column holds, opened, in the order of the keys; all of it lies under the current key.</summary>
    public async Task<List<string>> Texts(SealedColumn column, Sealer sealer)
    {
        var entity = Model.FindEntityType(column.Entity)!;
        await using var db = await _factory.CreateDbContextAsync(Cancel);
        var sql = $"SELECT \"{column.Property}\" AS \"Value\" FROM \"{entity.GetTableName()}\" ORDER BY {string.Join(", ", entity.FindPrimaryKey()!.Properties.Select(p => $"\"{p.Name}\""))}";
        var texts = await db.Database.SqlQueryRaw<string>(sql).ToListAsync(Cancel);
        Assert.All(texts, text => Assert.StartsWith(sealer.CurrentPrefix, text, StringComparison.Ordinal));
        return texts.ConvertAll(text => sealer.Open(text, column.Purpose));
    }

    private async Task Fill(Sealer sealer, int count)
    {
        await using var db = await _factory.CreateDbContextAsync(Cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(Cancel);
        foreach (var entity in Columns.Select(c => c.Entity).Distinct().Select(type => Model.FindEntityType(type)!).OrderBy(entity => entity.GetForeignKeys().Count()))
        {
            var properties = entity.GetProperties().ToList();
            var sql = $"INSERT INTO \"{entity.GetTableName()}\" ({string.Join(", ", properties.Select(p => $"\"{p.Name}\""))}) VALUES ({string.Join(", ", properties.Select((_, i) => $"{{{i}}}"))})";
            for (var i = 0; i < count; i++)
                await db.Database.ExecuteSqlRawAsync(sql, properties.Select(p => Value(p, i, sealer)).ToArray()!, Cancel);
        }
        await transaction.CommitAsync(Cancel);
    }

    private object? Value(IProperty property, int i, Sealer sealer)
    {
        if (Columns.SingleOrDefault(c => c.Entity == property.DeclaringType.ClrType && c.Property == property.Name) is { } column)
            return sealer.Seal($"{property.Name} {i}", column.Purpose);
        if (property.IsNullable)
            return null;
        var number = property.FindContainingPrimaryKey() is { Properties: [var first, _, ..] } && first == property ? i % Owners : i;
        var type = property.GetRelationalTypeMapping().Converter?.ProviderClrType ?? property.ClrType;
        return type == typeof(string) ? $"{property.Name}-{number:0000}"
            : type == typeof(Guid) ? new Guid(number, 0, 0, new byte[8])
            : type == typeof(DateOnly) ? new DateOnly(2025, 1, 1)
            : type == typeof(bool) ? false
            : Convert.ChangeType(number, type, CultureInfo.InvariantCulture);
    }

    public ValueTask DisposeAsync()
    {
        Store.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>A file of secrets that does something when a secret is looked for.</summary>
internal sealed class WatchedSecrets(string file) : IOptions<SecretOptions>
{
    private readonly SecretOptions _options = new() { File = file, CreateMissing = true };

    /// <summary>Done once.</summary>
    public Func<Task>? AtNextLook { get; set; }

    public SecretOptions Value
    {
        get
        {
            var todo = AtNextLook;
            AtNextLook = null;
            todo?.Invoke().GetAwaiter().GetResult();
            return _options;
        }
    }
}
