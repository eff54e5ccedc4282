using System.Text;
using System.Text.Json;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Fuzz;

/// <summary>What the bus between the services hands over: an event, or nothing. A message that made the reader throw would come again and again.</summary>
[Trait("kind", "fuzz")]
public sealed class EventFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Types = [.. EventNames.All.Keys.Order(StringComparer.Ordinal)];
    private static readonly HashSet<(string, string)> Topics = [.. Types.Select(type => ("registration", type))];
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "0", "-1", "1e999", "{}", "[]", "\"\\ud800\"", "\"\\ude00\"", "\\u0000", "\"1.0\"", "\"specversion\"", "\"source\"", "\"data\"", "\"position\"", "\"id\"", "\"type\"", "\"time\"",
        "\"traceparent\"", "\"datacontenttype\"", "99999999999999999999", "9999-12-31T23:59:59.9999999+00:00", "0001-01-01T00:00:00+14:00", "registration", "\u00e6", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ];

    [Fact]
    public Task Envelopes() => Fuzzing.Begin(output.WriteLine).Each(random => random.Next(8) == 0 ? Good(random) : random.Mutated(Good(random), Pieces), body =>
    {
        foreach (var topic in (string[])["registration.activated.v1", "deadline.set.v1"])
        {
            if (EventEnvelope.Read(body, topic) is { } delivery)
            {
                Assert.Equal(topic, delivery.Type);
                Assert.True(delivery.Position > 0);
                Assert.NotNull(EventJson.Read(delivery.Type, delivery.Data));
            }
        }
        var letter = EventEnvelope.Describe(body, Topics);
        Assert.True(letter.Type is null || Types.Contains(letter.Type));
        Assert.True(letter.Publisher is null or "registration");
    });

    [Theory] // what once made the reader throw
    [InlineData("""{"source":"\ud800"}""")]
    [InlineData("""{"type":"\udc00\ud800","position":"1"}""")]
    public void ADeadLetterWithHalfACharacter_IsDescribedWithoutIt(string body) =>
        Assert.Equal(new EventDeadLettered(), EventEnvelope.Describe(Encoding.UTF8.GetBytes(body), Topics) with { Position = null });

    [Fact]
    public void ADeadLetterThatIsNoText_IsDescribedWithoutIt() =>
        Assert.Equal(new EventDeadLettered(), EventEnvelope.Describe((byte[])[.. "{\"source\":\""u8, 0xFF, .. "\"}"u8], Topics));

    private static byte[] Good(Random random)
    {
        var type = random.Next(2) == 0 ? "registration.activated.v1" : random.Pick(Types);
        var data = new Dictionary<string, object?>();
        foreach (var property in EventNames.All[type].GetProperties())
        {
            if (random.Next(5) > 0)
            {
                data[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = property.PropertyType == typeof(string) ? random.Pick(Mutation.Odd)
                    : property.PropertyType == typeof(DateTimeOffset) || property.PropertyType == typeof(DateTimeOffset?) ? DateTimeOffset.UnixEpoch.AddSeconds(random.Next())
                    : random.Next(1000);
            }
        }
        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            specversion = "1.0",
            id = Guid.NewGuid(),
            source = "registration",
            type,
            time = DateTimeOffset.UnixEpoch.AddSeconds(random.Next()),
            position = "7",
            traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            datacontenttype = "application/json",
            data,
        });
    }
}
