using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>A new salt is in use: fetch it, so that pseudonyms change everywhere at about the same time (rule E3).</summary>
public sealed class OnSaltRotated(CurrentSalt salt) : IReaction<EffectuationDb, SaltRotated>
{
    public Task React(SaltRotated e, WriteScope<EffectuationDb> scope)
    {
        salt.Refetch();
        return Task.CompletedTask;
    }
}
