using System.Text;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

/// <summary>Whose message it is: the broker's word for it, or the platform's own, and never the sender's.</summary>
public sealed class EdgeSendersTests
{
    private const string Own = "sloring";

    private static readonly EdgeSenders Senders = new(
        Options.Create(new EdgeOptions { User = Own }), new Revocations(new TokenTrust(Options.Create(new TokenOptions { Issuer = "https://tokens.example" }))), TimeProvider.System);

    [Theory] // M2
    [InlineData("epj-hovedstaden", null, "epj-hovedstaden")]
    [InlineData("epj-hovedstaden", "epj-midtjylland", "epj-hovedstaden")]
    [InlineData(null, "epj-midtjylland", null)]
    [InlineData("", "epj-midtjylland", "")]
    [InlineData(Own, "epj-midtjylland", "epj-midtjylland")]
    [InlineData(Own, null, Own)]
    [InlineData(Own, "", Own)]
    [InlineData("SLORING", "epj-midtjylland", "SLORING")]
    public void TheHeader_IsBelievedOfThePlatformAlone(string? userId, string? header, string? user) => Assert.Equal(user, Senders.UserOf(Sent(userId, header)));

    [Fact] // M3
    public async Task Messages_DoNotWaitForEver_ToHearWhoIsRevoked()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var trust = new TokenTrust(Options.Create(new TokenOptions { Issuer = "https://127.0.0.1:1" }));
        var senders = new EdgeSenders(Options.Create(new EdgeOptions { User = Own }), new Revocations(trust), new HurriedClock());
        var known = senders.Known(cancel);
        await senders.KnownOrLate(cancel).WaitAsync(TimeSpan.FromSeconds(30), cancel);
        await senders.KnownOrLate(cancel).WaitAsync(TimeSpan.FromSeconds(30), cancel);
        Assert.False(known.IsCompleted);
    }

    [Theory] // M2
    [InlineData(null, "epj-hovedstaden", false, "epj-hovedstaden")] // as the platform has refused it
    [InlineData(null, null, false, null)]
    [InlineData("epj-hovedstaden", "epj-midtjylland", true, "epj-hovedstaden")] // as the broker has put it there
    [InlineData(null, "epj-midtjylland", true, null)]
    [InlineData(Own, "epj-hovedstaden", true, "epj-hovedstaden")] // replayed before, and then put there by the broker
    public void AmongTheErrors_WhatTheBrokerHasPutThere_IsOfItsUserId(string? userId, string? header, bool byBroker, string? user)
    {
        var refused = Sent(userId, header);
        if (byBroker)
            refused.Headers!["x-death"] = new List<object>();
        Assert.Equal(user, Senders.UserOfRefused(refused));

        var again = Senders.Again(refused);
        // What the broker sees is the platform, or nobody; what the platform will see is the sender.
        Assert.Equal(user is null ? null : Own, again.UserId);
        again.Headers = again.Headers!.ToDictionary(header => header.Key, header => header.Value is string text ? Encoding.UTF8.GetBytes(text) : header.Value);
        Assert.Equal(user, Senders.UserOf(again));
    }

    [Fact]
    public void AReplayedMessage_KeepsWhatItWasSentWith_AndNothingOfItsRefusal()
    {
        var refused = Sent(null, "epj-hovedstaden");
        (refused.MessageId, refused.CorrelationId, refused.ContentType, refused.ReplyTo) = ("m-1", "c-1", "text/plain", "amq.rabbitmq.reply-to.x");
        refused.Headers!["traceparent"] = "00-"u8.ToArray();
        refused.Headers["sloring-code"] = "SLR-904"u8.ToArray();

        var again = Senders.Again(refused);

        Assert.Equal(("m-1", "c-1", "text/plain", null), (again.MessageId, again.CorrelationId, again.ContentType, again.ReplyTo));
        Assert.Equal(["sloring-user", "traceparent"], again.Headers!.Keys.Order());
    }

    [Fact]
    public void AHeaderThatIsNoName_NamesNobody()
    {
        foreach (var value in (object?[])[null, 7, true, new List<object>(), Encoding.UTF8.GetBytes(new string('u', 65))])
            Assert.Equal(Own, Senders.UserOf(new BasicProperties { UserId = Own, Headers = new Dictionary<string, object?> { ["sloring-user"] = value } }));
    }

    private static BasicProperties Sent(string? userId, string? header)
    {
        var sent = new BasicProperties { Headers = new Dictionary<string, object?>() };
        if (userId is not null)
            sent.UserId = userId;
        if (header is not null)
            sent.Headers["sloring-user"] = Encoding.UTF8.GetBytes(header);
        return sent;
    }

    /// <summary>Its timers are over a hundred times as soon.</summary>
    private sealed class HurriedClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, dueTime / 100, period);
    }
}
