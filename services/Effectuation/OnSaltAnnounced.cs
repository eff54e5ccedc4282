using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>A salt is to follow: fetch it ahead of its instant (rule E3).</summary>
public sealed class OnSaltAnnounced(CurrentSalt salt) : IReaction<EffectuationDb, SaltAnnounced>
{
    public Task React(SaltAnnounced e, WriteScope<EffectuationDb> scope)
    {
        salt.Refetch();
        return Task.CompletedTask;
    }
}
