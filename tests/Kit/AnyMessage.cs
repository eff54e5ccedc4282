using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Sloring.Tests;

/// <summary>Messages of the gRPC contracts with anything in their fields: likely values, odd ones, none.</summary>
public static class AnyMessage
{
    private static readonly string[] Likely =
    [
        "7101901234", "29190623", "1000111000016001", "1301", "2025-01-15", "2026-12-31", "2026-01", "Slog ud efter personalet.", "hw-1001", "health-worker", "leader", "registration", "approval", "fuzz-key-0001", "Bo Eksempel",
        "0197b0a0-0000-7000-8000-000000000000", "6ba7b810-9dad-51d1-80b4-00c04fd430c8", "masking.", "MTIz", "e30.e30.e30", "5166",
    ];

    private static readonly long[] Numbers = [0, 1, -1, 2, 50, 500, 501, 10_000, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue, 253_402_300_799, 253_402_300_800, -62_135_596_800, -62_135_596_801, 1_000_000_000, 1_790_000_000];

    /// <summary>The request messages of all services in the contracts, by the full name of their rpc.</summary>
    public static IReadOnlyList<MethodDescriptor> Rpcs { get; } =
    [
        .. typeof(Contracts.Registration.V1.RegistrationReflection).Assembly.GetTypes()
            .Where(type => type.Name.EndsWith("Reflection", StringComparison.Ordinal) && type.Namespace?.StartsWith("Sloring.Contracts", StringComparison.Ordinal) == true)
            .Select(type => (FileDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!)
            .SelectMany(file => file.Services).SelectMany(service => service.Methods).OrderBy(method => method.FullName, StringComparer.Ordinal),
    ];

    /// <summary>A message of a type.</summary>
    public static IMessage Of(Random random, MessageDescriptor type, int depth = 0)
    {
        var message = (IMessage)System.Activator.CreateInstance(type.ClrType)!;
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (random.Next(4) == 0 || field.IsMap)
                continue;
            if (!field.IsRepeated)
            {
                if (field.FieldType != FieldType.Message || depth < 4)
                    field.Accessor.SetValue(message, Value(random, field, depth));
                continue;
            }
            var list = (System.Collections.IList)field.Accessor.GetValue(message);
            for (var count = random.Next(depth > 2 ? 1 : 4); count > 0; count--)
                list.Add(Value(random, field, depth));
        }
        return message;
    }

    /// <summary>One field somewhere in a message set to anything, taken away, or doubled.</summary>
    public static void Spoil(Random random, IMessage message)
    {
        if (message.Descriptor.Fields.InDeclarationOrder() is not { Count: > 0 } fields)
            return;
        var field = random.Pick([.. fields]);
        if (field.IsMap)
            return;
        if (field.IsRepeated)
        {
            var list = (System.Collections.IList)field.Accessor.GetValue(message);
            if (list.Count > 0 && random.Next(3) > 0)
            {
                var at = random.Next(list.Count);
                if (list[at] is IMessage inner)
                    Spoil(random, inner);
                else
                    list[at] = Value(random, field, 0);
            }
            else
            {
                list.Add(Value(random, field, 0));
            }
        }
        else if (field.FieldType == FieldType.Message && field.Accessor.GetValue(message) is IMessage inner && random.Next(3) > 0)
        {
            Spoil(random, inner);
        }
        else if (random.Next(4) == 0)
        {
            field.Accessor.Clear(message);
        }
        else
        {
            field.Accessor.SetValue(message, Value(random, field, 0));
        }
    }

    private static object Value(Random random, FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.String => Text(random),
        FieldType.Bytes => ByteString.CopyFrom(random.Noise(40)),
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Double => random.NextDouble() * Math.Pow(10, random.Next(-300, 300)),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => unchecked((int)random.Pick(Numbers)),
        FieldType.UInt32 or FieldType.Fixed32 => unchecked((uint)random.Pick(Numbers)),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => random.Pick(Numbers),
        FieldType.UInt64 or FieldType.Fixed64 => unchecked((ulong)random.Pick(Numbers)),
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, random.Next(4) == 0 ? unchecked((int)random.Pick(Numbers)) : random.Next(6)),
        FieldType.Message => Of(random, field.MessageType, depth + 1),
        _ => throw new NotSupportedException($"{field.FullName} is a {field.FieldType}, which no contract had."),
    };

    /// <summary>What protobuf's wire can carry: whole characters.</summary>
    private static string Text(Random random)
    {
        var text = random.Next(8) switch
        {
            0 => random.Pick(Mutation.Odd),
            1 => random.Mutated(random.Pick(Likely)),
            2 when random.Next(20) == 0 => new string('x', random.Next(200_000)),
            _ => random.Pick(Likely),
        };
        return string.Concat(text.EnumerateRunes());
    }
}
