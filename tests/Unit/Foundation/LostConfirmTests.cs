using System.Diagnostics;
using System.Reflection;
using RabbitMQ.Client;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

/// <summary>The broker's client loses a confirm for good when its connection ends at the wrong moment, which nobody can bring about on demand: here is a channel that has lost one.</summary>
public sealed class LostConfirmTests
{
    [Fact]
    public async Task ConfirmThatWillNeverCome_IsNotWaitedFor_OnceTheChannelIsGone()
    {
        var (channel, open) = Forgetful();
        open.IsOpen = false;
        await Assert.ThrowsAsync<ConfirmLostException>(() => Publish(channel).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task ConfirmOfABrokerThatIsSlow_IsWaitedFor()
    {
        var (channel, open) = Forgetful();
        var publishing = Publish(channel);
        await Eventually.True(() => Task.FromResult(open.Looked > 0), "the channel has been looked at");
        Assert.False(publishing.IsCompleted);
        open.Confirm.SetResult();
        await publishing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    private static Task Publish(IChannel channel) => EdgeBus.Publish(channel, "", "registration.activate-masking.errors", mandatory: false, new BasicProperties(), ReadOnlyMemory<byte>.Empty, TestContext.Current.CancellationToken);

    private static (IChannel, ForgetfulChannel) Forgetful()
    {
        var channel = DispatchProxy.Create<IChannel, ForgetfulChannel>();
        return (channel, (ForgetfulChannel)channel);
    }
}

/// <summary>A channel that publishes and is told of no confirm.</summary>
public class ForgetfulChannel : DispatchProxy
{
    public bool IsOpen { get; set; } = true;

    /// <summary>How often it was asked whether it is open.</summary>
    public int Looked { get; private set; }

    public TaskCompletionSource Confirm { get; } = new();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case nameof(IChannel.BasicPublishAsync):
                return new ValueTask(Confirm.Task);
            case "get_" + nameof(IChannel.IsOpen):
                Looked++;
                return IsOpen;
            default:
                throw new UnreachableException(targetMethod.Name);
        }
    }
}
