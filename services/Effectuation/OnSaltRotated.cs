using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>A new salt is in use: one made at once was not announced and is fetched now (rule E3).</summary>
public sealed class OnSaltRotated(CurrentSalt salt) : IReaction<EffectuationDb, SaltRotated>
{
    public Task React(SaltRotated e, WriteScope<EffectuationDb> scope)
    {
        salt.Refetch();
        return Task.CompletedTask;
    }
}
