using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>What was refused at the edge is erased from the broker after its retention, and nothing else is.</summary>
public sealed class EdgeErasureTests : IAsyncLifetime
{
    private const int Days = 30;
    private const string Errors = "registration.activate-masking.errors", Turn = "registration.activate-masking-erasing";
    private static readonly string Refused = Activation("3002901234").ToJsonString();
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly EdgeBroker _broker = new();
    private Platform _platform = null!;
    private Peer _adapter = null!, _operator = null!;
    private IConnection _connection = null!;

    public async ValueTask InitializeAsync()
    {
        await _broker.Start();
        _platform = await Platform.Start(_broker.NewFolder(), [.. _broker.Settings, $"--Retention:RefusedDays={Days}"]);
        (_adapter, _operator) = (await _broker.Connect("epj-hovedstaden"), await _broker.Connect("sloring"));
        _connection = await Connection();
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _adapter.DisposeAsync();
        await _operator.DisposeAsync();
        await _platform.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task WhatWasRefusedLongAgo_Goes_AndWhatIsYounger_StaysAsItWas()
    {
        await RefuseInOrder(0, "old-1", "old-2", "old-3");
        // As the broker puts one there itself: with an instant of its own, whatever the sender says.
        await using (var channel = await _connection.CreateChannelAsync(cancellationToken: Cancel))
        {
            await channel.QueueDeclareAsync("registration.dies-at-once", durable: false, exclusive: true, autoDelete: true, new Dictionary<string, object?>
            {
                ["x-message-ttl"] = 1,
                ["x-dead-letter-exchange"] = "",
                ["x-dead-letter-routing-key"] = Errors,
            }, cancellationToken: Cancel);
            await channel.BasicPublishAsync("", "registration.dies-at-once", mandatory: true,
                new BasicProperties { MessageId = "by-the-broker", Timestamp = new AmqpTimestamp(DateTimeOffset.UtcNow.AddYears(50).ToUnixTimeSeconds()) }, Encoding.UTF8.GetBytes(Refused), Cancel);
            await Standing(4);
        }
        // And an operator, who says no instant: nobody knows how old it is.
        await _operator.Publish("", Errors, Refused, new { messageId = "by-hand" });
        await Standing(5);
        _platform.Clock.Advance(TimeSpan.FromDays(20));
        await RefuseInOrder(5, "young-1", "young-2");

        _platform.Clock.Advance(TimeSpan.FromDays(Days - 20 + 1));

        // By itself; and then it is waited for until it holds nothing any more.
        await Standing(3);
        await EraseAtOnce();
        await Standing(3);
        foreach (var id in (string[])["by-hand", "young-1", "young-2"])
        {
            var left = await _operator.Get(Errors);
            Assert.Equal((id, Refused, id == "by-hand" ? null : "SLR-910"), ((string)left!["properties"]!["messageId"]!, (string)left["body"]!, (string?)left["headers"]?["sloring-code"]));
        }
        Assert.Equal(4, (await Stated()).Sum(erased => erased.Rows));
    }

    [Fact]
    public async Task ManyAtOnce_AndOneKilledMidway_LoseNothingYounger_KeepItsOrder_AndTheOldGoInTheEnd()
    {
        const int Old = 40;
        for (var i = 0; i < Old; i++)
            await Send($"old-{i}");
        await Standing(Old);
        _platform.Clock.Advance(TimeSpan.FromDays(20));
        string[] young = ["young-0", "young-1", "young-2", "young-3", "young-4"];
        await RefuseInOrder(Old, young);
        _platform.Clock.Advance(TimeSpan.FromDays(Days - 20 - 1));
        await EraseAtOnce();
        // Another replica, whose turn it is, with a message in its hands.
        await using (var killed = await Connection())
        {
            var channel = await killed.CreateChannelAsync(cancellationToken: Cancel);
            await channel.QueueDeclareAsync(Turn, durable: false, exclusive: true, autoDelete: false, cancellationToken: Cancel);
            Assert.NotNull(await channel.BasicGetAsync(Errors, autoAck: false, Cancel));
            _platform.Clock.Advance(TimeSpan.FromDays(2));
            await EraseAtOnce();
            await Standing(Old - 1 + young.Length);
            Assert.Empty(await Stated());
        }
        await Standing(Old + young.Length);

        await Eventually.True(async () =>
        {
            await EraseAtOnce();
            return await _operator.Count(Errors) == young.Length;
        }, "the turn is free, and the old are erased");
        foreach (var id in young)
            Assert.Equal(id, (string?)(await _operator.Get(Errors))!["properties"]!["messageId"]);
        Assert.Equal(Old, (await Stated()).Sum(erased => erased.Rows));
    }

    private Task<IConnection> Connection() => new ConnectionFactory { Uri = new Uri(_broker.AddressOf("sloring")) }.CreateConnectionAsync(Cancel);

    private Task EraseAtOnce() => Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _platform.Services.GetServices<IHostedService>().OfType<EraseErrors>().Single().EraseAll(Cancel))));

    /// <summary>One after the other: many are handled at a time, and refused in any order.</summary>
    private async Task RefuseInOrder(int standing, params string[] ids)
    {
        foreach (var id in ids)
        {
            await Send(id);
            await Standing(++standing);
        }
    }

    private Task Send(string id) => _adapter.Publish("sloring.activations", "activate-masking", Refused, new { userId = "epj-hovedstaden", messageId = id });

    private Task Standing(int expected) => Eventually.True(async () => await _operator.Count(Errors) == expected, $"{expected} messages are among the errors");

    private async Task<List<RecordsErased>> Stated() =>
        [.. (await _platform.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == "registration").ReadAfter(0, 10_000, Cancel))
            .Where(entry => entry.Type == EventNames.Of<RecordsErased>()).Select(entry => (RecordsErased)EventJson.Read(entry.Type, entry.Data)).Where(erased => erased.Kind == Errors)];
}
