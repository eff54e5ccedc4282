using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Sloring.Hosting;

/// <summary>A table as the model has it, where many rows are inserted or looked up at once: past the change tracker, which costs more than the database does.</summary>
internal sealed class Table
{
    private Table(IEntityType type)
    {
        var here = StoreObjectIdentifier.Create(type, StoreObjectType.Table) ?? throw new InvalidOperationException($"{type.Name} has no table.");
        Name = here.Name;
        Columns = [.. type.GetProperties().Select(property => Column.Of(property, property.GetColumnName(here) ?? throw new InvalidOperationException($"{property.Name} has no column.")))];
    }

    public string Name { get; }

    public IReadOnlyList<Column> Columns { get; }

    /// <summary>"table"("column", "column" …)</summary>
    public string Target => $"\"{Name}\"({string.Join(", ", Columns.Select(column => $"\"{column.Name}\""))})";

    public static Table Of(DbContext db, Type row)
    {
        var type = db.Model.FindEntityType(row) ?? throw new InvalidOperationException($"{row} is no entity.");
        return type.GetOrAddRuntimeAnnotationValue("Sloring:Table", static type => new Table(type!), type);
    }

    /// <summary>The columns of some properties.</summary>
    public List<Column> Find(IEnumerable<string> properties) => [.. properties.Select(property => Columns.Single(column => column.Property == property))];
}

/// <summary>A column, and how the values of its property become those that the database's driver takes.</summary>
internal abstract class Column(IProperty property, string name, string type)
{
    private readonly Func<object, object?> _read = property.GetGetter().GetClrValue;
    private readonly Func<object?, object?> _convert = property.GetRelationalTypeMapping().Converter?.ConvertToProvider ?? (value => value);

    public string Property => property.Name;

    public string Name => name;

    /// <summary>The database's name of its type.</summary>
    public string Type => type;

    public object? ValueIn(object row) => Convert(_read(row));

    public object? Convert(object? value) => _convert(value);

    /// <summary>Converted values in an array of the column's own type.</summary>
    public abstract Array Array<T>(IReadOnlyList<T> of, Func<T, object?> value);

    public static Column Of(IProperty property, string name)
    {
        var mapping = property.GetRelationalTypeMapping();
        var type = mapping.Converter?.ProviderClrType ?? property.ClrType;
        if (property.IsNullable && type.IsValueType && Nullable.GetUnderlyingType(type) is null)
            type = typeof(Nullable<>).MakeGenericType(type);
        return (Column)Activator.CreateInstance(typeof(Typed<>).MakeGenericType(type), property, name, mapping.StoreType)!;
    }

    private sealed class Typed<TValue>(IProperty property, string name, string type) : Column(property, name, type)
    {
        public override Array Array<T>(IReadOnlyList<T> of, Func<T, object?> value)
        {
            var values = new TValue[of.Count];
            for (var i = 0; i < values.Length; i++)
                values[i] = (TValue)value(of[i])!;
            return values;
        }
    }
}
