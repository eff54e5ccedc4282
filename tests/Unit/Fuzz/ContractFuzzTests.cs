using System.Reflection;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Http;
using Sloring.Contracts;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Fuzz;

/// <summary>Every request message of the contracts as protobuf and as JSON: read whole, so that it says the same when it is written again, or refused.</summary>
[Trait("kind", "fuzz")]
public sealed class ContractFuzzTests(ITestOutputHelper output)
{
    private static readonly MessageDescriptor[] Requests = [.. AnyMessage.Rpcs.Select(rpc => rpc.InputType).Distinct()];
    private static readonly MethodInfo ReadJson = typeof(JsonRpc).GetMethod(nameof(JsonRpc.Read), BindingFlags.Static | BindingFlags.NonPublic)!;

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "0", "-1", "1e999", "-0.0", "1e-7", "99999999999999999999", "{}", "[]", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\u0000", "\ufeff", "//", "/*", "\"NaN\"", "\"-Infinity\"", "\"\"", "\"1\"",
        "\"9999-12-31T23:59:59.999999999Z\"", "\"0001-01-01T00:00:00Z\"", "\"0000-01-01T00:00:00Z\"", "\"2025-01-15T10:00:00+99:99\"", "\"2025-01-15T24:00:00Z\"", "\"2025-02-30T10:00:00Z\"", "\"patientCpr\":", "\"patient_cpr\":", "\"endsAt\":", "\"staff\":[", "\"@type\":",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ];

    [Fact]
    public Task Protobuf() => Fuzzing.Begin(output.WriteLine).Each(
        random =>
        {
            var type = random.Pick(Requests);
            return (type.FullName, Bytes: random.Next(10) == 0 ? random.Noise(400) : random.Mutated(AnyMessage.Of(random, type).ToByteArray(), Pieces));
        },
        one =>
        {
            var parser = Requests.Single(type => type.FullName == one.FullName).Parser;
            try
            {
                var message = parser.ParseFrom(one.Bytes);
                Assert.Equal(message, parser.ParseFrom(message.ToByteArray()));
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException)
            {
                // Refused by the library, before a handler is called; of a length near 2 GiB by falling over it, which the server answers as any other (WireFuzzTests).
            }
        });

    [Fact]
    public async Task JsonBodies()
    {
        var taken = 0;
        await Fuzzing.Begin(output.WriteLine).Each(
            random =>
            {
                var type = random.Pick(Requests);
                var good = Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(InTime(AnyMessage.Of(random, type))));
                return (type.FullName, Body: random.Next(8) == 0 ? good : random.Mutated(good, Pieces));
            },
            one =>
            {
                if (Read(Requests.Single(type => type.FullName == one.FullName), Post(one.Body)) is not { } message)
                    return;
                taken++;
                // What a handler takes over from a request into its answer can be written on both wires.
                Assert.Equal(message, message.Descriptor.Parser.ParseFrom(message.ToByteArray()));
                Assert.Equal(message, JsonParser.Default.Parse(JsonFormatter.Default.Format(message), message.Descriptor));
            });
        Assert.True(taken > 0 || Fuzzing.IsAlone);
    }

    [Fact]
    public Task Addresses() => Fuzzing.Begin(output.WriteLine).Each(
        random =>
        {
            var type = random.Pick(Requests);
            var names = type.Fields.InDeclarationOrder().Select(field => random.Next(2) == 0 ? field.Name : field.JsonName).Append("x").ToList();
            var query = string.Join('&', Enumerable.Range(0, random.Next(4)).Select(_ => $"{Uri.EscapeDataString(Written(random.Pick(names)))}={Uri.EscapeDataString(Written(random.Pick(Mutation.Odd)))}"));
            return (type.FullName, Query: random.Next(4) == 0 ? Written(random.Mutated(query)) : query, Name: random.Pick(names), Value: random.Pick(Mutation.Odd));
        },
        one =>
        {
            var http = new DefaultHttpContext();
            http.Request.Method = "GET";
            http.Request.QueryString = new QueryString("?" + one.Query);
            if (one.Value.Length > 0)
                http.Request.RouteValues[one.Name] = one.Value;
            if (Read(Requests.Single(type => type.FullName == one.FullName), http) is { } message)
                Assert.All(message.Descriptor.Fields.InDeclarationOrder().Where(field => field.Name.EndsWith("_cpr", StringComparison.Ordinal)), field => Assert.Equal("", field.Accessor.GetValue(message)));
        });

    private static DefaultHttpContext Post(byte[] body)
    {
        var http = new DefaultHttpContext();
        http.Request.Method = "POST";
        http.Request.Body = new MemoryStream(body);
        return http;
    }

    /// <summary>What an address can hold.</summary>
    private static string Written(string text) => string.Concat(text.EnumerateRunes());

    /// <summary>JSON has no instant outside the calendar.</summary>
    private static IMessage InTime(IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder().Where(field => field.FieldType == FieldType.Message && !field.IsRepeated))
        {
            if (field.Accessor.GetValue(message) is Google.Protobuf.WellKnownTypes.Timestamp)
                field.Accessor.SetValue(message, Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddDays(20_000)));
        }
        return message;
    }

    /// <summary>The message; null where it is refused with a number.</summary>
    private static IMessage? Read(MessageDescriptor type, HttpContext http)
    {
        try
        {
            var reading = (Task)ReadJson.MakeGenericMethod(type.ClrType).Invoke(null, [http])!;
            reading.GetAwaiter().GetResult();
            return (IMessage)reading.GetType().GetProperty("Result")!.GetValue(reading)!;
        }
        catch (RejectedException rejected)
        {
            Assert.Equal(RejectionKind.Invalid, rejected.Rejection.Kind);
            return null;
        }
    }
}
